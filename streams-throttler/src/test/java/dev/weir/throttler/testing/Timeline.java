package dev.weir.throttler.testing;

import dev.weir.contracts.time.EpochNanos;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * Moments and what each costs, in order: the slots of the permits that were spent, or the calls that the upstream saw. Windows
 * are half-open, as the throttle's: what lies at t has left a window W at exactly t + W. Immutable.
 */
public final class Timeline {
    private final String what;
    private final long[] times;
    private final int[] costs;

    /** The most that any window of one length holds, and where. */
    public record Peak(Duration per, Instant start, long cost) {}

    /** @param times epoch nanoseconds, ascending */
    Timeline(String what, long[] times, int[] costs) {
        this.what = what;
        this.times = times;
        this.costs = costs;
    }

    /**
     * Of any moments, in any order, each at a cost of 1.
     *
     * @param what for messages, in the plural
     */
    public static Timeline of(String what, Collection<Instant> moments) {
        long[] times = moments.stream().mapToLong(EpochNanos::of).sorted().toArray();
        int[] costs = new int[times.length];
        Arrays.fill(costs, 1);
        return new Timeline(what, times, costs);
    }

    public int size() {
        return times.length;
    }

    /** Cost of all of it. */
    public long cost() {
        return sum(0, times.length);
    }

    /** @throws NoSuchElementException when there is none */
    public Instant first() {
        return at(0);
    }

    /** @throws NoSuchElementException when there is none */
    public Instant last() {
        return at(times.length - 1);
    }

    /** The one with this number, from 0. */
    public Instant at(int index) {
        if (index < 0 || index >= times.length) {
            throw new NoSuchElementException(
                    "there are " + times.length + " " + what + ", none has the number " + index);
        }
        return EpochNanos.toInstant(times[index]);
    }

    /** What lies in [from, to). */
    public Timeline between(Instant from, Instant to) {
        int start = firstFrom(EpochNanos.of(from));
        int end = Math.max(start, firstFrom(EpochNanos.of(to)));
        return new Timeline(what, Arrays.copyOfRange(times, start, end), Arrays.copyOfRange(costs, start, end));
    }

    /** The cost in each step of this length, aligned to the first one; the last step is the last one's. */
    public List<Long> perStep(Duration step) {
        List<Long> out = new ArrayList<>();
        int start = 0;
        for (int n = 1; start < times.length; n++) {
            int end = firstFrom(times[0] + Math.multiplyExact(step.toNanos(), n));
            out.add(sum(start, end));
            start = end;
        }
        return out;
    }

    /** The fullest of all rolling windows of this length. */
    public Peak mostWithin(Duration per) {
        long most = 0;
        long start = times.length == 0 ? 0 : times[0];
        long inside = 0;
        int tail = 0;
        for (int head = 0; head < times.length; head++) {
            inside += costs[head];
            while (times[head] - times[tail] >= per.toNanos()) {
                inside -= costs[tail++];
            }
            if (inside > most) {
                most = inside;
                start = times[tail];
            }
        }
        return new Peak(per, EpochNanos.toInstant(start), most);
    }

    /** Begins the claim {@code neverMoreThan(900).inAny(Duration.ofMinutes(1))}. */
    public Claim neverMoreThan(long limit) {
        return per -> {
            Peak peak = mostWithin(per);
            if (peak.cost() > limit) {
                throw new AssertionError(peak.cost() + " " + what + " within " + per + " from " + peak.start()
                        + " on, expected at most " + limit + "; the first of all is at " + first());
            }
            return this;
        };
    }

    /** What is claimed of every rolling window of some length. */
    public interface Claim {
        /** @throws AssertionError when it does not hold, with the fullest window */
        Timeline inAny(Duration per);
    }

    private long sum(int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += costs[i];
        }
        return sum;
    }

    private int firstFrom(long time) {
        int low = 0;
        int high = times.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (times[middle] < time) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Collects moments. Not thread-safe. */
    static final class Builder {
        private static final int FIRST_CAPACITY = 1024;

        private final String what;
        private long[] times = new long[FIRST_CAPACITY];
        private int[] costs = new int[FIRST_CAPACITY];
        private int size;

        Builder(String what) {
            this.what = what;
        }

        int size() {
            return size;
        }

        void add(long time, int cost) {
            if (size == times.length) {
                times = Arrays.copyOf(times, size * 2);
                costs = Arrays.copyOf(costs, size * 2);
            }
            int i = size++;
            // Calls come a little out of order when a dispatcher starts late.
            while (i > 0 && times[i - 1] > time) {
                times[i] = times[i - 1];
                costs[i] = costs[i - 1];
                i--;
            }
            times[i] = time;
            costs[i] = cost;
        }

        /** The one with this number was not spent after all; only for moments that came in order. */
        void giveBack(int index) {
            costs[index] = 0;
        }

        Timeline build() {
            long[] spentAt = new long[size];
            int[] spent = new int[size];
            int n = 0;
            for (int i = 0; i < size; i++) {
                if (costs[i] > 0) {
                    spentAt[n] = times[i];
                    spent[n++] = costs[i];
                }
            }
            return new Timeline(what, Arrays.copyOf(spentAt, n), Arrays.copyOf(spent, n));
        }
    }
}
