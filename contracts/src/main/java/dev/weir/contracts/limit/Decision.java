package dev.weir.contracts.limit;

import dev.weir.contracts.config.Tier;

/**
 * What became of a wish for permits.
 *
 * @param remaining permits that are left now
 * @param nextNs nanoseconds until there is one more; 0 when all are there
 * @param retryNs nanoseconds until the same wish can be met; 0 when it was. Further than any window for a wish that is larger
 *     than the whole quota
 */
public record Decision(Tier tier, boolean allowed, int remaining, long nextNs, long retryNs) {
    private static final long SECOND_NS = 1_000_000_000;

    /** Whole seconds until there is one more permit. */
    public long nextSeconds() {
        return seconds(nextNs);
    }

    /** Whole seconds until the same wish can be met. */
    public long retrySeconds() {
        return Math.max(1, seconds(retryNs));
    }

    private static long seconds(long ns) {
        return ns / SECOND_NS + (ns % SECOND_NS == 0 ? 0 : 1);
    }
}
