package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.QuotaWindow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs the throttle's own recurrence forward, on a copy, and tells what comes. Costs about 100 ns for each waiting permit, so
 * that a long queue is run anew only as often as {@link #SHARE} allows; in between its times stand and only the numbers move
 * on. Not thread-safe.
 */
final class Forecaster {
    /** Permits that are run forward at most; {@link Rounds} tell of those beyond. */
    static final int MAX_PERMITS = 1_000_000;

    /** So many more than wait: for those who come next. */
    static final long NEWCOMERS = 1000;
    /** Of the lanes in one record, which has at most 4 MiB; enough for {@link Lanes#MOST_LANES}. */
    static final int MOST_LANE_BYTES = 3_500_000;
    /** What a lane has beside its name. */
    static final int LANE_BYTES = 240;
    /** A forward run may take one part in so many of the time. */
    static final long SHARE = 50;

    /** Further than this nobody asks; it also keeps the arithmetic within its longs. */
    static final Duration HORIZON = Duration.ofDays(36_500);

    static final Duration FRESH = Duration.ofMillis(900);

    /** How far a permit's time may lie from its line: the first are asked for most. */
    private static final long NEAR_TOLERANCE_NS = 100_000_000L;

    private static final long NEAR_PERMITS = 1000;
    private static final long FINE_TOLERANCE_NS = 300_000_000L;
    private static final int FINE_LINES = 200;
    private static final long TOLERANCE_NS = 600_000_000L;
    private static final int MOST_LINES = 1000;

    private Settings settings;
    private final PermitLog ahead;
    private final Past past = new Past();
    private @Nullable Run last;
    /** How far the permits that were given since the run are counted, and what they cost. */
    private long countedTo;

    private long counted;
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

    /**
     * What a forward run found.
     *
     * @param cost that waited
     * @param drainedAt when the last of it would go
     * @param costs the sample by which they were mixed
     */
    private record Run(
            long at,
            long tookNs,
            long notBefore,
            long cost,
            Instant drainedAt,
            List<Forecast.LaneCosts> costs,
            List<Forecast.BreakPoint> points,
            Forecast.@Nullable Cycle cycle) {
        /** Permits that it still tells of when so many of its own are gone. */
        boolean reaches(long gone) {
            return gone < Math.max(1, cycle == null ? cost : Math.min(cost, cycle.from() - cycle.permits()));
        }
    }

    Forecaster(Settings settings) {
        this.settings = settings;
        this.ahead = new PermitLog(settings.windows(), settings.burst());
    }

    /** The next forecast is run anew. */
    void configure(Settings newSettings) {
        settings = newSettings;
        last = null;
    }

    /** A call was made: how long after its slot it had arrived, and ended. */
    void called(long arrivalLag, long duration) {
        arrivalLagNs += (arrivalLag - arrivalLagNs) / 16;
        callNs += (duration - callNs) / 16;
    }

    Forecast forecast(View view, long now, long notBefore) {
        PermitLog log = view.log();
        long cost = view.lanes().waitingCost();
        count(log);
        Run run = last;
        if (run == null || isStale(run, now, notBefore)) {
            run = runForward(log, view.lanes(), now, notBefore);
            last = run;
            countedTo = log.next();
            counted = 0;
        }
        List<Forecast.BreakPoint> points = shifted(run.points(), counted);
        Forecast.Cycle cycle = run.cycle() == null
                ? null
                : new Forecast.Cycle(
                        run.cycle().from() - counted,
                        run.cycle().permits(),
                        run.cycle().takes());
        Instant drainedAt = null;
        if (cost > 0 && !view.state().equals(Forecast.PAUSED)) {
            drainedAt = cost + counted == run.cost() ? run.drainedAt() : Forecast.timeOfPermit(points, cycle, cost - 1);
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
                view.lanes().weights(),
                windows(log, now),
                new Forecast.Queue(
                        view.lanes().waiting(),
                        cost,
                        view.scheduled(),
                        view.retrying(),
                        view.inFlight(),
                        view.lanes().oldest(),
                        drainedAt),
                view.lanes().virtualTime(),
                lanes(view.lanes(), new CostSamples(run.costs())),
                points,
                cycle,
                new Forecast.Basis(
                        EpochNanos.toInstant(notBefore),
                        Duration.ofNanos(arrivalLagNs),
                        Duration.ofNanos(callNs),
                        run.costs(),
                        past.history(log, now)));
    }

    private boolean isStale(Run run, long now, long notBefore) {
        long every = Math.max(FRESH.toNanos(), run.tookNs() * SHARE);
        return now - run.at() >= every
                || notBefore - run.notBefore() > FRESH.toNanos() + every
                || !run.reaches(counted);
    }

    private void count(PermitLog log) {
        for (; countedTo < log.next(); countedTo++) {
            counted += log.knows(countedTo) ? log.cost(countedTo) : 1;
        }
    }

    private static List<Forecast.Window> windows(PermitLog log, long now) {
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

    /** Those for whom a record has no room are left out, which takes very many lanes with very long names. */
    private static List<Forecast.Lane> lanes(Lanes lanes, CostSamples samples) {
        List<Forecast.Lane> out = new ArrayList<>();
        int bytes = 0;
        for (Iterator<Forecast.Lane> all = lanes.forecast().iterator(); all.hasNext(); ) {
            Forecast.Lane lane = all.next();
            bytes += LANE_BYTES;
            for (int i = 0; i < lane.tenant().length(); i++) {
                char c = lane.tenant().charAt(i);
                // What it takes as JSON in UTF-8, at most.
                bytes += c < ' ' ? 6 : c < 0x80 ? 2 : 3;
            }
            if (bytes > MOST_LANE_BYTES) {
                break;
            }
            out.add(samples.isEmpty() ? lane : samples.of(lane).in(lane));
        }
        return out;
    }

    /** The waiting permits and some more. */
    private Run runForward(PermitLog log, Lanes lanes, long now, long notBefore) {
        long started = System.nanoTime();
        ahead.copyFrom(log);
        arriveAsOthersDid(ahead, now);
        long cost = lanes.waitingCost();
        long smallest = log.smallestBudget();
        long needed = cost + Math.min(NEWCOMERS, smallest);
        List<Forecast.LaneCosts> samples = cost == lanes.waiting() ? List.of() : lanes.sampleCosts(Costs.SAMPLE);
        Costs costs = new Costs(lanes.forecast(), new CostSamples(samples));
        ForwardRun forward = new ForwardRun(ahead, notBefore, arrivalLagNs, callNs / settings.maxInFlight());
        BreakPoints fit = new BreakPoints(MOST_LINES);
        Rounds rounds = new Rounds(slowestRound());
        long done = 0;
        long at = notBefore;
        long firstAt = 0;
        long drainedAt = 0;
        long lastPermit = 0;
        for (int n = 0; n < MAX_PERMITS && done < needed && !fit.full() && at - now <= HORIZON.toNanos(); n++) {
            int next = (int) Math.min(costs.next(), smallest);
            at = forward.next(next).at();
            firstAt = n == 0 ? at : firstAt;
            drainedAt = done < cost ? at : drainedAt;
            fit.add(done, at, tolerance(done, fit.lines()));
            rounds.add(done, at);
            lastPermit = done;
            done += next;
        }
        List<Forecast.BreakPoint> points = new ArrayList<>(fit.finish());
        Forecast.Cycle cycle = rounds.cycle(done);
        if (cycle == null && lastPermit > 0) {
            points.add(new Forecast.BreakPoint(lastPermit, EpochNanos.toInstant(at), (at - firstAt) / lastPermit));
        }
        return new Run(
                now,
                System.nanoTime() - started,
                notBefore,
                cost,
                done >= cost ? EpochNanos.toInstant(drainedAt) : Forecast.timeOfPermit(points, cycle, cost - 1),
                samples,
                points,
                cycle);
    }

    private static long tolerance(long permit, int lines) {
        return permit < NEAR_PERMITS ? NEAR_TOLERANCE_NS : lines < FINE_LINES ? FINE_TOLERANCE_NS : TOLERANCE_NS;
    }

    /**
     * The calls that are out are taken to arrive as others did. What the log holds for them is the latest moment possible,
     * which would hold back what comes a window later for seconds.
     */
    private void arriveAsOthersDid(PermitLog log, long now) {
        long furthest = settings.permitTtl().plus(Throttle.ARRIVAL_ALLOWANCE).toNanos();
        for (long n = log.next() - 1; log.knows(n) && log.slot(n) + furthest > now; n--) {
            if (log.arrival(n) > now) {
                log.arrived(n, Math.max(now, log.slot(n) + arrivalLagNs));
            }
        }
    }

    /** Permits of the limit that comes round most slowly. */
    private long slowestRound() {
        long permits = 1;
        double slowest = 0;
        for (QuotaWindow w : settings.windows()) {
            long perNs = w.per().toNanos();
            double bySlots = (double) perNs / w.budget();
            double byArrivals = (double) (perNs + arrivalLagNs) / w.limit();
            if (Math.max(bySlots, byArrivals) > slowest) {
                slowest = Math.max(bySlots, byArrivals);
                permits = bySlots >= byArrivals ? w.budget() : w.limit();
            }
        }
        return permits;
    }

    /** The same times, counted from a later permit. */
    private static List<Forecast.BreakPoint> shifted(List<Forecast.BreakPoint> points, long by) {
        if (by == 0) {
            return points;
        }
        List<Forecast.BreakPoint> out = new ArrayList<>(points.size());
        for (int i = 0; i < points.size(); i++) {
            Forecast.BreakPoint p = points.get(i);
            boolean covered = i + 1 < points.size() && points.get(i + 1).permit() <= by;
            if (!covered) {
                long start = Math.max(p.permit(), by);
                out.add(new Forecast.BreakPoint(
                        start - by, p.at().plusNanos((start - p.permit()) * p.gapNs()), p.gapNs()));
            }
        }
        return out;
    }
}
