package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.Forecast;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What comes after the permits that were run forward. Once the slowest of all limits has come round, permits come at the same
 * distances again and again, so that the last rounds tell all that follow; a mean rate would be off by hours where a day is
 * spent after ten of them. Not thread-safe.
 */
final class Rounds {
    private static final int MOST = 1024;

    private final long[] permits = new long[MOST];
    private final long[] times = new long[MOST];
    private long spacing;
    private long next;
    private int count;

    /** @param round permits of the slowest limit */
    Rounds(long round) {
        spacing = round;
    }

    /** The next permit's time, epoch nanoseconds; permits come in order from 0. */
    void add(long permit, long at) {
        if (permit < next) {
            return;
        }
        if (count == MOST) {
            for (int i = 0; i < MOST / 2; i++) {
                permits[i] = permits[2 * i];
                times[i] = times[2 * i];
            }
            count = MOST / 2;
            spacing *= 2;
        }
        permits[count] = permit;
        times[count] = at;
        count++;
        next = (permit / spacing + 1) * spacing;
    }

    /** What follows from this permit on; null when not one round was complete. */
    Forecast.@Nullable Cycle cycle(long from) {
        if (count < 2) {
            return null;
        }
        // The later half: what the past left behind has worn off by then, and over many rounds mixed costs even out.
        int last = count - 1;
        int first = last / 2;
        return new Forecast.Cycle(from, permits[last] - permits[first], Duration.ofNanos(times[last] - times[first]));
    }
}
