package dev.weir.contracts.wire;

import dev.weir.contracts.config.Weights;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What anyone needs to answer "when" for one upstream. Topic {@code weir.forecasts} (compacted), key: the upstream's name;
 * written by the throttle each second while something changes. The permits' times come from the throttle's own recurrence,
 * run forward. Permits are counted in units of cost.
 *
 * @param at when it was made
 * @param state {@code running}, {@code paused}, {@code circuit-open} or {@code throttled}
 * @param heldBy what sets the pace now: a window ({@code PT1M}), {@code pace}, {@code in-flight}, {@code paused},
 *     {@code circuit}, {@code retry-after}, {@code no-dispatcher}; null when nothing waits
 * @param circuit {@code closed}, {@code open} or {@code half-open}
 * @param removed whether the upstream is configured no more: its jobs are kept, and not called
 * @param revision of the {@link UpstreamRecord} in force; 0 for the configuration file's own settings
 * @param weights of the lanes that are not there yet
 * @param virtualTime where the lanes' turns stand: a lane that begins now starts from here
 * @param breakPoints the next permits' times, piecewise linear, from permit 0 (the next one); never empty
 * @param cycle what comes after them; null when their last line goes on
 * @param basis what the times were reckoned from, so that anyone can do it anew under other settings; null when it is not
 *     told
 */
public record Forecast(
        int v,
        String upstream,
        Instant at,
        String state,
        @Nullable String heldBy,
        String circuit,
        boolean removed,
        long revision,
        Weights weights,
        List<Window> windows,
        Queue queue,
        double virtualTime,
        List<Lane> lanes,
        List<BreakPoint> breakPoints,
        @Nullable Cycle cycle,
        @Nullable Basis basis) {
    /** Names the lane that is nobody's own. */
    public static final String SHARED = "*";
    /** {@link #state} while nothing goes until someone says so: nobody can say when. */
    public static final String PAUSED = "paused";

    public static final int VERSION = 1;
    /** 100 years: what would take longer is told as this. */
    private static final long MAX_WAIT_NS = 36_500L * 24 * 3600 * 1_000_000_000L;
    /** Virtual times that are the same down to here are one turn. */
    private static final double TURNS = 1e7;

    public Forecast {
        windows = List.copyOf(windows);
        lanes = List.copyOf(lanes);
        breakPoints = List.copyOf(breakPoints);
        if (breakPoints.isEmpty()) {
            throw new IllegalArgumentException("a forecast has at least one break point");
        }
    }

    /**
     * One window of the quota.
     *
     * @param used cost of the permits whose slots lie in the window that ends at {@link Forecast#at}, and of those given
     *     ahead
     * @param fullUntil when room comes back; null while there is room
     */
    public record Window(
            Duration per,
            long limit,
            long budget,
            long used,
            @Nullable Instant fullUntil) {}

    /**
     * @param waiting jobs that stand in lanes
     * @param cost permits that they need together
     * @param drainedAt when the last job that waits now would get its permit; null when nothing waits
     */
    public record Queue(
            long waiting,
            long cost,
            long scheduled,
            long retrying,
            long inFlight,
            @Nullable Instant oldestAcceptedAt,
            @Nullable Instant drainedAt) {}

    /**
     * One lane with waiting jobs.
     *
     * @param tenant whose it is; {@link #SHARED} for the lane of those who came when there were too many lanes
     * @param head the lane number of the job that leaves next
     * @param tail the lane number that the next arrival gets
     * @param jobs how many stand in it; fewer than {@code tail - head} when some were taken out of the middle
     * @param cost permits that they need together
     * @param headCost the lane's count of cost, as {@code head} is its count of jobs
     * @param tailCost the same of {@code tail}
     * @param weight its share against the other lanes
     * @param finish the virtual finish time of its head job
     * @param step what every job's cost is a multiple of
     * @param residual half the mean square of its jobs' costs over their mean: what the job that a moment falls into still
     *     needs, on average
     */
    public record Lane(
            String tenant,
            Priority priority,
            long head,
            long tail,
            long jobs,
            long cost,
            long headCost,
            long tailCost,
            double weight,
            double finish,
            long step,
            double residual) {
        /** A lane of jobs of cost 1 that nobody was taken out of. */
        public static Lane of(String tenant, Priority priority, long head, long tail, double weight, double finish) {
            long jobs = tail - head;
            return new Lane(tenant, priority, head, tail, jobs, jobs, head, tail, weight, finish, 1, 0.5);
        }

        public Lane with(long newStep, double newResidual) {
            return new Lane(
                    tenant, priority, head, tail, jobs, cost, headCost, tailCost, weight, finish, newStep, newResidual);
        }

        boolean isOf(String itsTenant, Priority itsPriority) {
            return priority == itsPriority && tenant.equals(itsTenant);
        }

        double averageCost() {
            return jobs <= 0 ? 1 : (double) cost / jobs;
        }

        /** Permits of its own before the job with that number, or with that count of cost where it is known. */
        double costBefore(long number, @Nullable Long laneCost) {
            long all = laneCost == null ? tail - head : tailCost - headCost;
            long before = laneCost == null ? number - head : laneCost - headCost;
            // Jobs taken out of the middle are still in the counts: they are taken to have stood everywhere alike.
            return all <= 0 ? 0 : (double) cost * Math.max(0, Math.min(before, all)) / all;
        }
    }

    /**
     * From permit {@code permit} on (0 is the next one), one permit each {@code gapNs} nanoseconds, the first at {@code at}.
     */
    public record BreakPoint(long permit, Instant at, long gapNs) {}

    /** From permit {@code from} on, each comes {@code takes} after the one that has {@code permits} fewer before it. */
    public record Cycle(long from, long permits, Duration takes) {}

    /**
     * What the permits' times are reckoned from, beside the windows.
     *
     * @param notBefore no permit goes before this, whatever room the windows have
     * @param arrivedAfter from a permit's slot until its call has arrived, on average
     * @param endedAfter the same until it has ended
     * @param costs an even sample of what the waiting jobs cost; empty when each costs 1
     * @param history what was permitted
     */
    public record Basis(
            Instant notBefore, Duration arrivedAfter, Duration endedAfter, List<LaneCosts> costs, History history) {
        public Basis {
            costs = List.copyOf(costs);
        }
    }

    /** What jobs of a lane cost, as far as some of them were looked at. */
    public record LaneCosts(String tenant, Priority priority, List<Integer> costs) {
        public LaneCosts {
            costs = List.copyOf(costs);
        }
    }

    /**
     * The permits that still lie in the longest window, the oldest first.
     *
     * @param permits how many they are
     * @param breakPoints their slots, piecewise linear, from permit 0 (the oldest); empty when there is none
     * @param within how far a slot may lie from its line
     * @param completeSince what was permitted before this is not known; null when nothing was
     * @param pacedTo when the pace lets the next permit go if it is not to make anything up; null before the first one
     */
    public record History(
            long permits,
            List<BreakPoint> breakPoints,
            Duration within,
            @Nullable Instant completeSince,
            @Nullable Instant pacedTo) {
        public History {
            breakPoints = List.copyOf(breakPoints);
        }
    }

    /** The turn of a lane with this virtual finish time: the lowest is first; of the same turn, tenant and priority decide. */
    public static double turn(double finish) {
        return Math.rint(finish * TURNS);
    }

    /** When the permit that has this many permits before it comes: exact to a second. */
    public Instant timeOfPermit(long permitsAhead) {
        return timeOfPermit(breakPoints, cycle, permitsAhead);
    }

    /** The same, by these lines. */
    public static Instant timeOfPermit(List<BreakPoint> breakPoints, @Nullable Cycle cycle, long permitsAhead) {
        if (cycle == null || permitsAhead < cycle.from()) {
            return onTheLines(breakPoints, permitsAhead);
        }
        long times = (permitsAhead - cycle.from()) / cycle.permits() + 1;
        return onTheLines(breakPoints, permitsAhead - times * cycle.permits())
                .plusNanos(product(times, cycle.takes().toNanos()));
    }

    private static Instant onTheLines(List<BreakPoint> breakPoints, long permitsAhead) {
        BreakPoint from = breakPoints.get(0);
        int low = 0;
        int high = breakPoints.size() - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (breakPoints.get(middle).permit() <= permitsAhead) {
                from = breakPoints.get(middle);
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return from.at().plusNanos(product(permitsAhead - from.permit(), from.gapNs()));
    }

    private static long product(long permits, long gapNs) {
        return gapNs > 0 && permits > MAX_WAIT_NS / gapNs ? MAX_WAIT_NS : permits * gapNs;
    }

    /** The time of the call of a job that joins the lane of this tenant and priority now, at its end; null while paused. */
    public @Nullable Instant etaOfNewJob(String tenant, Priority priority, int cost) {
        return etaOfNewJob(tenant, priority, cost, 0);
    }

    /** The same, when so many permits' worth of jobs have joined that lane since this was made. */
    public @Nullable Instant etaOfNewJob(String tenant, Priority priority, int cost, long since) {
        if (state.equals(PAUSED)) {
            return null;
        }
        Lane own = lane(tenant, priority);
        if (own == null) {
            own = Lane.of(tenant, priority, 0, 0, 1, virtualTime + (double) cost / weights.of(tenant, priority));
        }
        return timeOfPermit(permitsAhead(own, (double) own.cost() + since) + cost - 1);
    }

    /**
     * The time of the call of a job that waits in a lane; null when the lane does not know that number, and while paused.
     *
     * @param seq its number in the lane
     * @param laneCost the lane's count of cost when it joined; null when it was not told
     */
    public @Nullable Instant etaOfQueuedJob(String tenant, Priority priority, long seq, @Nullable Long laneCost) {
        Lane own = lane(tenant, priority);
        if (state.equals(PAUSED) || own == null || seq < own.head() || seq >= own.tail()) {
            return null;
        }
        return timeOfPermit(permitsAhead(own, own.costBefore(seq, laneCost)));
    }

    private @Nullable Lane lane(String tenant, Priority priority) {
        for (Lane lane : lanes) {
            if (lane.isOf(tenant, priority)) {
                return lane;
            }
        }
        return null;
    }

    /** Permits that go to any lane before the job with so many permits before it in its own. */
    private long permitsAhead(Lane own, double before) {
        double finish = own.finish() + before / own.weight();
        double ahead = before;
        for (Lane other : lanes) {
            if (!other.isOf(own.tenant(), own.priority())) {
                ahead += permitsBefore(other, finish, own);
            }
        }
        return Math.round(ahead);
    }

    /**
     * Permits that a lane takes before another one's job with this virtual finish time: exact where its jobs cost the same,
     * else what renewal theory expects of whole steps.
     */
    private static double permitsBefore(Lane lane, double finish, Lane other) {
        double steps = (finish - lane.finish()) * lane.weight() / lane.step();
        long whole = Math.round(steps);
        boolean tie = turn(lane.finish() + whole * lane.step() / lane.weight()) - turn(finish) == 0;
        if (tie && whole == 0) {
            return comesFirst(lane, other) ? lane.averageCost() : 0;
        }
        if (steps < 0) {
            return 0;
        }
        long passed = tie ? whole : (long) Math.floor(steps);
        double half = tie && !comesFirst(lane, other) ? -0.5 : 0.5;
        return Math.min((passed + half) * lane.step() + lane.residual(), (double) lane.cost());
    }

    private static boolean comesFirst(Lane lane, Lane other) {
        int byTenant = lane.tenant().compareTo(other.tenant());
        return byTenant != 0 ? byTenant < 0 : lane.priority().compareTo(other.priority()) < 0;
    }
}
