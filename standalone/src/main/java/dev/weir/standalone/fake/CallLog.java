package dev.weir.standalone.fake;

import dev.weir.contracts.config.Limit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Every call's arrival, to the nanosecond of one monotonic clock, and whether the limits let it in. Windows are rolling and
 * half-open: a call at t leaves the window W at exactly t + W. Only calls that were let in count against a limit; the
 * figures count all. Thread-safe.
 */
public final class CallLog {
    /** Arrivals and jobs kept for the figures; calls beyond are counted, and the figures say that they are cut. */
    public static final int MOST_KEPT = 5_000_000;

    private static final long NS_PER_SECOND = 1_000_000_000L;
    private static final Duration MINUTE = Duration.ofMinutes(1);
    /** Seconds and minutes listed in the figures, from the first call on. */
    private static final int MOST_STEPS = 100_000;

    private final LongSupplier nanoClock;
    private final List<Window> windows;
    private final int mostKept;
    private final Map<String, Integer> callsByJob = new HashMap<>();
    private long[] arrivals = new long[1024];
    private int kept;
    private long calls;
    private long rejected;
    private long unidentified;

    public CallLog(List<Limit> limits, LongSupplier nanoClock) {
        this(limits, nanoClock, MOST_KEPT);
    }

    CallLog(List<Limit> limits, LongSupplier nanoClock, int mostKept) {
        this.windows = limits.stream().map(Window::new).toList();
        this.nanoClock = nanoClock;
        this.mostKept = mostKept;
    }

    /**
     * A call arrives now.
     *
     * @param jobId its {@code X-Job-Id}, if it has one
     * @return 0 when the limits let it in, else in how many nanoseconds they would
     */
    public synchronized long arrive(@Nullable String jobId) {
        long now = nanoClock.getAsLong();
        calls++;
        keep(now);
        if (jobId == null) {
            unidentified++;
        } else if (callsByJob.size() < mostKept || callsByJob.containsKey(jobId)) {
            callsByJob.merge(jobId, 1, Integer::sum);
        }
        long waitNs = 0;
        for (Window window : windows) {
            waitNs = Math.max(waitNs, window.waitNs(now));
        }
        if (waitNs > 0) {
            rejected++;
            return waitNs;
        }
        windows.forEach(window -> window.take(now));
        return 0;
    }

    /** All calls in the window of this length that ends now. */
    public synchronized int callsInLast(Duration window) {
        long after = nanoClock.getAsLong() - window.toNanos();
        int count = 0;
        for (int i = kept - 1; i >= 0 && arrivals[i] > after; i--) {
            count++;
        }
        return count;
    }

    public synchronized long calls() {
        return calls;
    }

    /** The most calls so far in any half-open window of this length. */
    public int most(Duration window) {
        long[] at;
        synchronized (this) {
            at = Arrays.copyOf(arrivals, kept);
        }
        return most(at, window);
    }

    /** The figures so far. */
    public Stats stats() {
        long[] at;
        long all;
        long refused;
        long distinct;
        long duplicates;
        long without;
        synchronized (this) {
            at = Arrays.copyOf(arrivals, kept);
            all = calls;
            refused = rejected;
            distinct = callsByJob.size();
            duplicates = callsByJob.values().stream().mapToLong(n -> n - 1L).sum();
            without = unidentified;
        }
        List<Stats.WindowFigure> perLimit = new ArrayList<>();
        for (Window window : windows) {
            perLimit.add(
                    new Stats.WindowFigure(window.limit.permits(), window.limit.per(), most(at, window.limit.per())));
        }
        return new Stats(
                all,
                all - refused,
                refused,
                distinct,
                duplicates,
                without,
                all > at.length,
                at.length < 2 ? Duration.ZERO : Duration.ofNanos(at[at.length - 1] - at[0]),
                most(at, MINUTE),
                perLimit,
                steps(at, MINUTE.toNanos()),
                steps(at, NS_PER_SECOND),
                Stats.Gaps.of(at));
    }

    private void keep(long now) {
        if (kept == mostKept) {
            return;
        }
        if (kept == arrivals.length) {
            arrivals = Arrays.copyOf(arrivals, Math.min(mostKept, arrivals.length * 2));
        }
        arrivals[kept++] = now;
    }

    /** The most arrivals in any half-open window of this length. */
    static int most(long[] at, Duration per) {
        long length = per.toNanos();
        int most = 0;
        int first = 0;
        for (int last = 0; last < at.length; last++) {
            while (at[last] - at[first] >= length) {
                first++;
            }
            most = Math.max(most, last - first + 1);
        }
        return most;
    }

    private static List<Integer> steps(long[] at, long stepNs) {
        if (at.length == 0) {
            return List.of();
        }
        int steps = (int) Math.min(MOST_STEPS, (at[at.length - 1] - at[0]) / stepNs + 1);
        int[] counts = new int[steps];
        for (long arrival : at) {
            int step = (int) Math.min(steps, (arrival - at[0]) / stepNs);
            if (step < steps) {
                counts[step]++;
            }
        }
        return Arrays.stream(counts).boxed().toList();
    }

    /** The last {@code permits} calls that were let in, as a ring: the oldest says when there is room again. */
    private static final class Window {
        private final Limit limit;
        private final long lengthNs;
        private final long[] ring;
        private long taken;

        Window(Limit limit) {
            this.limit = limit;
            this.lengthNs = limit.per().toNanos();
            this.ring = new long[Math.toIntExact(limit.permits())];
        }

        long waitNs(long now) {
            if (taken < ring.length) {
                return 0;
            }
            return Math.max(0, ring[(int) (taken % ring.length)] + lengthNs - now);
        }

        void take(long now) {
            ring[(int) (taken % ring.length)] = now;
            taken++;
        }
    }
}
