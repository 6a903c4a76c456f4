package dev.weir.standalone.fake;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a fake upstream saw, by its own clock.
 *
 * @param calls all of them, those answered 429 too
 * @param duplicates calls beyond the first of the same job
 * @param withoutJobId calls without {@code X-Job-Id}
 * @param cut there were more calls than are kept, so the figures below are of the first ones
 * @param span from the first call to the last
 * @param mostInRollingMinute the most calls in any half-open 60 s
 * @param perMinute calls in each minute from the first call on; the last one is not a full one
 * @param gaps between neighbouring calls; null with fewer than two
 */
public record Stats(
        long calls,
        long accepted,
        long tooManyRequests,
        long distinctJobs,
        long duplicates,
        long withoutJobId,
        boolean cut,
        Duration span,
        int mostInRollingMinute,
        List<WindowFigure> limits,
        List<Integer> perMinute,
        List<Integer> perSecond,
        @Nullable Gaps gaps) {
    public Stats {
        limits = List.copyOf(limits);
        perMinute = List.copyOf(perMinute);
        perSecond = List.copyOf(perSecond);
    }

    /** The most calls seen in any rolling window of one limit. */
    public record WindowFigure(long permits, Duration per, int most) {}

    /** Milliseconds between neighbouring calls. */
    public record Gaps(double min, double p5, double median, double p95, double p99, double max) {
        private static final double NS_PER_MS = 1e6;

        static @Nullable Gaps of(long[] at) {
            if (at.length < 2) {
                return null;
            }
            long[] gaps = new long[at.length - 1];
            for (int i = 0; i < gaps.length; i++) {
                gaps[i] = at[i + 1] - at[i];
            }
            Arrays.sort(gaps);
            return new Gaps(
                    quantile(gaps, 0),
                    quantile(gaps, 0.05),
                    quantile(gaps, 0.5),
                    quantile(gaps, 0.95),
                    quantile(gaps, 0.99),
                    quantile(gaps, 1));
        }

        private static double quantile(long[] sorted, double q) {
            return Math.round(sorted[(int) Math.round(q * (sorted.length - 1))] / NS_PER_MS * 1000) / 1000.0;
        }
    }
}
