package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import java.util.ArrayList;
import java.util.List;

/**
 * Fits the times of the next permits with few straight lines: each time lies within a tolerance of its line. A line starts at
 * the first time it covers, moved by the tolerance down, not at all, or up; the variant that lasts longest wins (the swing
 * filter of Elmeleegy et al. 2009, three at once).
 */
final class BreakPoints {
    /** Of the first permits, whose jobs are asked for most. */
    static final long NEAR_TOLERANCE_NS = 100_000_000L;

    static final long NEAR_PERMITS = 1000;
    static final long TOLERANCE_NS = 600_000_000L;
    static final int MAX_BREAK_POINTS = 1000;

    private final List<Forecast.BreakPoint> points = new ArrayList<>();
    private final long[] anchor = new long[3];
    private final double[] low = new double[3];
    private final double[] high = new double[3];
    private final double[] lastLow = new double[3];
    private final double[] lastHigh = new double[3];
    private final boolean[] alive = new boolean[3];
    private long from = -1;
    private int best;
    private long firstAt;
    private long lastPermit;
    private long lastAt;

    /** The next permit's time; permits come in order from 0. */
    void add(long permit, long at) {
        if (permit == 0) {
            firstAt = at;
        }
        lastPermit = permit;
        lastAt = at;
        if (from < 0) {
            start(permit, at);
            return;
        }
        long tolerance = tolerance(permit);
        boolean any = false;
        for (int i = 0; i < anchor.length; i++) {
            if (alive[i]) {
                double span = permit - from;
                lastLow[i] = low[i];
                lastHigh[i] = high[i];
                low[i] = Math.max(low[i], (at - tolerance - anchor[i]) / span);
                high[i] = Math.min(high[i], (at + tolerance - anchor[i]) / span);
                alive[i] = low[i] <= high[i];
                if (alive[i]) {
                    best = any ? best : i;
                    any = true;
                }
            }
        }
        if (!any) {
            // The variant that was alive until now keeps the slopes of before.
            low[best] = lastLow[best];
            high[best] = lastHigh[best];
            close();
            start(permit, at);
        } else if (!alive[best]) {
            for (int i = 0; i < anchor.length; i++) {
                if (alive[i]) {
                    best = i;
                    break;
                }
            }
        }
    }

    boolean full() {
        return points.size() >= MAX_BREAK_POINTS;
    }

    /** The lines, and one more from the last permit on, at the average rate: what lies beyond was not run. */
    List<Forecast.BreakPoint> finish() {
        close();
        from = -1;
        if (lastPermit > 0) {
            points.add(
                    new Forecast.BreakPoint(lastPermit, EpochNanos.toInstant(lastAt), (lastAt - firstAt) / lastPermit));
        }
        return List.copyOf(points);
    }

    private static long tolerance(long permit) {
        return permit < NEAR_PERMITS ? NEAR_TOLERANCE_NS : TOLERANCE_NS;
    }

    private void start(long permit, long at) {
        from = permit;
        best = 1;
        long tolerance = tolerance(permit);
        for (int i = 0; i < anchor.length; i++) {
            // The very first permit's time is exact.
            anchor[i] = at + (permit == 0 ? 0 : (i - 1) * tolerance);
            low[i] = 0;
            high[i] = Double.MAX_VALUE;
            lastLow[i] = 0;
            lastHigh[i] = Double.MAX_VALUE;
            alive[i] = true;
        }
    }

    private void close() {
        double slope = high[best] == Double.MAX_VALUE ? low[best] : (low[best] + high[best]) / 2;
        points.add(new Forecast.BreakPoint(from, EpochNanos.toInstant(anchor[best]), Math.round(slope)));
    }
}
