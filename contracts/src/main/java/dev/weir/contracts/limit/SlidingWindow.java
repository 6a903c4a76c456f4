package dev.weir.contracts.limit;

import dev.weir.contracts.config.Tier;
import java.util.function.LongSupplier;

/**
 * One quota, exact: never more permits than the tier's in any half-open window of its length, and none refused that would
 * leave it so. Keeps the time of each permit within the window, 8 bytes each, in a ring that grows and shrinks with them; what
 * has left the window is found by bisection, so that no decision takes long however much has. Thread-safe.
 */
final class SlidingWindow {
    /** Less is not worth another array. */
    private static final int SMALLEST = 16;

    private final Tier tier;
    private final long windowNs;
    private final LongSupplier nanoTime;
    /** A ring: its length is a power of two. */
    private long[] times = new long[SMALLEST];

    private int oldest;
    private int used;
    private long last;

    SlidingWindow(Tier tier, LongSupplier nanoTime) {
        this.tier = tier;
        this.windowNs = tier.per().toNanos();
        this.nanoTime = nanoTime;
        this.last = nanoTime.getAsLong();
    }

    synchronized Decision take(int permits) {
        // Read within the lock, so that the ring is in order; a clock that steps back stands still instead.
        long now = Math.max(last, nanoTime.getAsLong());
        last = now;
        forget(now);
        if (permits > tier.permits()) {
            return new Decision(tier, false, remaining(), nextNs(now), windowNs + 1);
        }
        if (permits > remaining()) {
            // So many of the oldest must leave first.
            long frees = time(permits - remaining() - 1) + windowNs;
            return new Decision(tier, false, remaining(), nextNs(now), frees - now);
        }
        if (used + permits > times.length) {
            resize(used + permits);
        }
        for (int i = 0; i < permits; i++) {
            times[(oldest + used + i) & (times.length - 1)] = now;
        }
        used += permits;
        return new Decision(tier, true, remaining(), nextNs(now), 0);
    }

    private int remaining() {
        return tier.permits() - used;
    }

    private long nextNs(long now) {
        return used == 0 ? 0 : time(0) + windowNs - now;
    }

    /** Of the permits within the window, the n-th from the oldest. */
    private long time(int n) {
        return times[(oldest + n) & (times.length - 1)];
    }

    /** A permit of time t leaves at t + window exactly. */
    private void forget(long now) {
        if (used == 0 || now - time(0) < windowNs) {
            return;
        }
        int left = 1;
        int kept = used;
        while (left < kept) {
            int middle = (left + kept) >>> 1;
            if (now - time(middle) >= windowNs) {
                left = middle + 1;
            } else {
                kept = middle;
            }
        }
        oldest = (oldest + left) & (times.length - 1);
        used -= left;
        if (times.length > SMALLEST && used < times.length / 8) {
            resize(2 * used);
        }
    }

    private void resize(int least) {
        int length = Integer.highestOneBit(Math.max(SMALLEST, least) - 1) << 1;
        long[] other = new long[length];
        for (int i = 0; i < used; i++) {
            other[i] = time(i);
        }
        times = other;
        oldest = 0;
    }
}
