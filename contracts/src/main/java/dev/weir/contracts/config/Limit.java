package dev.weir.contracts.config;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;

/**
 * One limit of the provider: at most {@code permits} calls in every rolling window of length {@code per}.
 */
public record Limit(long permits, Duration per) {
    public static final Duration SHORTEST = Duration.ofMillis(100);
    public static final Duration LONGEST = Duration.ofDays(31);
    /** The throttle keeps every permit of the longest window; this bounds its memory. */
    public static final long MOST_PERMITS = 10_000_000;

    public Limit {
        if (permits < 1 || permits > MOST_PERMITS) {
            throw ConfigException.at("permits", "expected 1 to " + MOST_PERMITS + ", but it is " + permits);
        }
        if (per.compareTo(SHORTEST) < 0 || per.compareTo(LONGEST) > 0) {
            throw ConfigException.at("per", "expected " + SHORTEST + " to " + LONGEST + ", but it is " + per);
        }
    }

    /** floor(utilization × permits): what Weir uses of it. */
    public long budget(BigDecimal utilization) {
        return utilization
                .multiply(BigDecimal.valueOf(permits))
                .setScale(0, RoundingMode.FLOOR)
                .longValueExact();
    }
}
