package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import java.util.ArrayList;
import java.util.List;

/**
 * Fits the times of permits with few straight lines: each time lies within a tolerance of its line. A line starts at the
 * first time it covers, moved by the tolerance down, not at all, or up; the variant that lasts longest wins (the swing filter
 * of Elmeleegy et al. 2009, three at once). Not thread-safe.
 */
final class BreakPoints {
    private final int most;
    private final List<Forecast.BreakPoint> points = new ArrayList<>();
    private final long[] anchor = new long[3];
    private final double[] low = new double[3];
    private final double[] high = new double[3];
    private final double[] lastLow = new double[3];
    private final double[] lastHigh = new double[3];
    private final boolean[] alive = new boolean[3];
    private long from = -1;
    private int best;

    /** @param most lines at most */
    BreakPoints(int most) {
        this.most = most;
    }

    /** The next permit's time; permits come in order from 0, and some may be left out. */
    void add(long permit, long at, long tolerance) {
        if (from < 0) {
            start(permit, at, tolerance);
            return;
        }
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
            start(permit, at, tolerance);
        } else if (!alive[best]) {
            for (int i = 0; i < anchor.length; i++) {
                if (alive[i]) {
                    best = i;
                    break;
                }
            }
        }
    }

    int lines() {
        return points.size();
    }

    /** Whether there is no room for another line. */
    boolean full() {
        return points.size() >= most;
    }

    /** The lines, at most one more than may be; empty when nothing was added. Nothing is added afterwards. */
    List<Forecast.BreakPoint> finish() {
        if (from >= 0) {
            close();
        }
        return List.copyOf(points);
    }

    private void start(long permit, long at, long tolerance) {
        from = permit;
        best = 1;
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
