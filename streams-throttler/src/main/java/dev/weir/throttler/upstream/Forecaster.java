package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.quota.Slot;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the throttle's own recurrence forward, on a copy, and tells what comes. Costs about 30 ns for each waiting permit, so
 * that a long queue is run anew only as often as {@link #SHARE} allows; in between its times stand and only the numbers move
 * on. Not thread-safe.
 */
final class Forecaster {
    /** Permits that are run forward at most; beyond them the last rate is taken to go on. */
    static final long MAX_PERMITS = 1_000_000;

    static final int MAX_LANES = 1000;
    /** A forward run may take one part in so many of the time. */
    static final long SHARE = 50;

    /** Further than this nobody asks; it also keeps the arithmetic within its longs. */
    static final Duration HORIZON = Duration.ofDays(36_500);

    static final Duration FRESH = Duration.ofMillis(900);

    private Settings settings;
    private final PermitLog ahead;
    private long runAt = Long.MIN_VALUE;
    private long runTookNs;
    private long runNext;
    private long runCost;
    private long runNotBefore;
    private long lastCallAt;
    private List<Forecast.BreakPoint> run = List.of();
    /** Smoothed: from a permit's slot until its call had arrived, and until its outcome. */
    private long arrivalLagNs;

    private long callNs;

    /** What a forecast is made of. */
    record View(
            PermitLog log,
            Lanes lanes,
            Control control,
            String state,
            @Nullable String heldBy,
            String circuit,
            long scheduled,
            long retrying,
            long inFlight) {}

    Forecaster(Settings settings) {
        this.settings = settings;
        this.ahead = new PermitLog(settings.windows(), settings.burst());
    }

    /** The next forecast is run anew. */
    void configure(Settings newSettings) {
        settings = newSettings;
        runAt = Long.MIN_VALUE;
    }

    /** A call was made: how long after its slot it had arrived, and ended. */
    void called(long arrivalLag, long duration) {
        arrivalLagNs += (arrivalLag - arrivalLagNs) / 16;
        callNs += (duration - callNs) / 16;
    }

    Forecast forecast(View view, long now, long notBefore) {
        PermitLog log = view.log();
        long cost = view.lanes().waitingCost();
        boolean stale = runAt == Long.MIN_VALUE
                || now - runAt >= Math.max(FRESH.toNanos(), runTookNs * SHARE)
                || notBefore - runNotBefore > FRESH.toNanos() * 2 + runTookNs * SHARE
                || log.next() - runNext >= Math.max(1, runCost);
        if (stale) {
            runForward(log, cost, now, notBefore);
        }
        List<Forecast.BreakPoint> points = shifted(log.next() - runNext);
        Instant drainedAt = null;
        if (cost > 0 && !view.state().equals(Forecast.PAUSED)) {
            drainedAt = stale ? EpochNanos.toInstant(lastCallAt) : Forecast.timeOfPermit(points, cost - 1);
        }
        return new Forecast(
                Forecast.VERSION,
                settings.upstream(),
                EpochNanos.toInstant(now),
                view.state(),
                view.heldBy(),
                view.circuit(),
                view.control().mode() == Control.Mode.REMOVED,
                view.control().revision(),
                settings.weights(),
                windows(log, now),
                new Forecast.Queue(
                        view.lanes().waiting(),
                        view.scheduled(),
                        view.retrying(),
                        view.inFlight(),
                        view.lanes().oldest(),
                        drainedAt),
                view.lanes().forecast(MAX_LANES),
                points);
    }

    private List<Forecast.Window> windows(PermitLog log, long now) {
        List<Forecast.Window> out = new ArrayList<>();
        List<QuotaWindow> windows = log.windows();
        for (int i = 0; i < windows.size(); i++) {
            QuotaWindow w = windows.get(i);
            long used = log.used(i, now);
            long roomAt = log.roomAt(i);
            out.add(new Forecast.Window(
                    w.per(),
                    w.limit(),
                    w.budget(),
                    Math.min(used, w.budget()),
                    used >= w.budget() && roomAt > now ? EpochNanos.toInstant(roomAt) : null));
        }
        return out;
    }

    /** The waiting permits and one window more, for those who come next. */
    private void runForward(PermitLog log, long cost, long now, long notBefore) {
        long started = System.nanoTime();
        ahead.copyFrom(log);
        long gap = callNs / settings.maxInFlight();
        long permits = Math.min(MAX_PERMITS, cost + Math.min(1000, settings.smallestBudget()));
        BreakPoints fit = new BreakPoints();
        long from = notBefore;
        for (long k = 0; k < permits && !fit.full(); k++) {
            Slot slot = ahead.earliest(from, 1);
            ahead.take(slot.at(), 1, slot.at() + arrivalLagNs);
            fit.add(k, slot.at());
            from = slot.at() + gap;
            if (slot.at() - now > HORIZON.toNanos()) {
                break;
            }
            if (k < cost) {
                lastCallAt = slot.at();
            }
        }
        run = fit.finish();
        runAt = now;
        runNext = log.next();
        runCost = cost;
        runNotBefore = notBefore;
        runTookNs = System.nanoTime() - started;
    }

    /** The same times, counted from a later permit. */
    private List<Forecast.BreakPoint> shifted(long by) {
        if (by == 0) {
            return run;
        }
        List<Forecast.BreakPoint> out = new ArrayList<>(run.size());
        for (int i = 0; i < run.size(); i++) {
            Forecast.BreakPoint p = run.get(i);
            boolean covered = i + 1 < run.size() && run.get(i + 1).permit() <= by;
            if (!covered) {
                long start = Math.max(p.permit(), by);
                out.add(new Forecast.BreakPoint(
                        start - by, p.at().plusNanos((start - p.permit()) * p.gapNs()), p.gapNs()));
            }
        }
        return out;
    }
}
