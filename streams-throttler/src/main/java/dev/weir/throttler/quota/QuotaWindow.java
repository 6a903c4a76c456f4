package dev.weir.throttler.quota;

import java.time.Duration;

/**
 * One rolling window of a quota.
 *
 * @param per its length; half-open: a permit at t has left it at exactly t + per
 * @param limit what the provider allows in it, in permits
 * @param budget what is used of that
 */
public record QuotaWindow(Duration per, long limit, long budget) {
    public QuotaWindow {
        if (budget < 1 || budget > limit) {
            throw new IllegalArgumentException("budget " + budget + " is not within 1 to the limit " + limit);
        }
    }
}
