package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.throttler.quota.PermitLog;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Tells what a permit log holds in few lines, so that others can plan from it. A day's log of 450,000 permits takes about
 * 15 ms, so the whole of it is read only now and then; in between the newest permits are put behind. Not thread-safe.
 */
final class Past {
    static final Duration EVERY = Duration.ofSeconds(10);
    /** Reading the whole log may take one part in so many of the time. */
    static final long SHARE = 200;

    static final int MOST_LINES = 150;
    static final int MOST_RECENT_LINES = 50;
    static final long FINEST_NS = 50_000_000L;

    private long toldAt = Long.MIN_VALUE;
    private long tookNs;
    private long toldTo;
    private long permits;
    private long withinNs = FINEST_NS;
    private List<Forecast.BreakPoint> lines = List.of();

    /** The lines of one stretch of the log. */
    private record Fit(List<Forecast.BreakPoint> lines, long permits, long withinNs) {}

    Forecast.History history(PermitLog log, long now) {
        boolean due = toldAt == Long.MIN_VALUE
                || now - toldAt >= Math.max(EVERY.toNanos(), tookNs * SHARE)
                || (!log.knows(toldTo) && toldTo != log.next());
        if (due) {
            readAll(log, now);
        }
        Fit recent = fit(log, toldTo, MOST_RECENT_LINES, FINEST_NS);
        List<Forecast.BreakPoint> all = new ArrayList<>(lines);
        recent.lines().forEach(p -> all.add(new Forecast.BreakPoint(permits + p.permit(), p.at(), p.gapNs())));
        PermitLog.Head head = log.head();
        return new Forecast.History(
                permits + recent.permits(),
                all,
                Duration.ofNanos(Math.max(withinNs, recent.withinNs())),
                instant(head.completeSince()),
                instant(head.tatNs()));
    }

    private void readAll(PermitLog log, long now) {
        long started = System.nanoTime();
        // Half of what it took last time, so that it gets finer again.
        Fit fit = fit(log, oldest(log, now), MOST_LINES, Math.max(FINEST_NS, withinNs / 2));
        lines = fit.lines();
        permits = fit.permits();
        withinNs = fit.withinNs();
        toldTo = log.next();
        toldAt = now;
        tookNs = System.nanoTime() - started;
    }

    /** The first permit that the longest window can see. */
    private static long oldest(PermitLog log, long now) {
        long per =
                log.windows().stream().mapToLong(w -> w.per().toNanos()).max().orElseThrow();
        long n = log.head().first();
        while (n < log.next() && log.slot(n) + per <= now) {
            n++;
        }
        return n;
    }

    private static Fit fit(PermitLog log, long from, int mostLines, long finestNs) {
        for (long toleranceNs = finestNs; ; toleranceNs += toleranceNs / 2) {
            BreakPoints fit = new BreakPoints(mostLines);
            long done = 0;
            for (long n = from; n < log.next() && !fit.full(); n++) {
                if (log.cost(n) > 0) {
                    fit.add(done, log.slot(n), toleranceNs);
                    done += log.cost(n);
                }
            }
            if (!fit.full()) {
                return new Fit(fit.finish(), done, toleranceNs);
            }
        }
    }

    private static @Nullable Instant instant(long epochNanos) {
        return epochNanos == Long.MIN_VALUE ? null : EpochNanos.toInstant(epochNanos);
    }
}
