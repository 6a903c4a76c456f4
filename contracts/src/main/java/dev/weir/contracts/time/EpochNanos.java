package dev.weir.contracts.time;

import java.time.Instant;

/**
 * Instants as nanoseconds since the epoch in a long: exact from 1678 to 2261, and the nearest of the two ends beyond, so that
 * no date in a record can stop who reads it.
 */
public final class EpochNanos {
    private static final long PER_SECOND = 1_000_000_000L;
    private static final long FURTHEST_SECONDS = Long.MAX_VALUE / PER_SECOND - 1;

    private EpochNanos() {}

    public static long of(Instant instant) {
        long seconds = instant.getEpochSecond();
        if (Math.abs(seconds) > FURTHEST_SECONDS) {
            return seconds < 0 ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
        return seconds * PER_SECOND + instant.getNano();
    }

    public static Instant toInstant(long epochNanos) {
        return Instant.ofEpochSecond(Math.floorDiv(epochNanos, PER_SECOND), Math.floorMod(epochNanos, PER_SECOND));
    }
}
