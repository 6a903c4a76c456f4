package dev.weir.contracts.wire;

import dev.weir.contracts.config.Weights;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What anyone needs to answer "when" for one upstream. Topic {@code weir.forecasts} (compacted), key: the upstream's name;
 * written by the throttle each second while something changes. The permits' times come from the throttle's own recurrence,
 * run forward.
 *
 * @param at when it was made
 * @param state {@code running}, {@code paused}, {@code circuit-open} or {@code throttled}
 * @param heldBy what sets the pace now: a window ({@code PT1M}), {@code pace}, {@code in-flight}, {@code paused},
 *     {@code circuit}, {@code retry-after}, {@code no-dispatcher}; null when nothing waits
 * @param circuit {@code closed}, {@code open} or {@code half-open}
 * @param removed whether the upstream is configured no more: its jobs are kept, and not called
 * @param revision of the {@link UpstreamRecord} in force; 0 for the configuration file's own settings
 * @param weights of the lanes that are not there yet
 * @param breakPoints the next permits' times, piecewise linear, from permit 0 (the next one); never empty
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
        List<Lane> lanes,
        List<BreakPoint> breakPoints) {
    /** Names the lane that is nobody's own. */
    public static final String SHARED = "*";
    /** {@link #state} while nothing goes until someone says so: nobody can say when. */
    public static final String PAUSED = "paused";

    public static final int VERSION = 1;
    /** 100 years: what would take longer is told as this. */
    private static final long MAX_WAIT_NS = 36_500L * 24 * 3600 * 1_000_000_000L;

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
     * @param drainedAt when the last job that waits now would get its permit; null when nothing waits
     */
    public record Queue(
            long waiting,
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
     * @param tail the lane number that the next arrival gets: {@code tail - head} jobs wait
     * @param cost permits that all its waiting jobs together need
     * @param weight its share against the other lanes
     * @param finish the virtual finish time of its head job
     */
    public record Lane(
            String tenant, Priority priority, long head, long tail, long cost, double weight, double finish) {}

    /**
     * From permit {@code permit} on (0 is the next one), one permit each {@code gapNs} nanoseconds, the first at {@code at}.
     */
    public record BreakPoint(long permit, Instant at, long gapNs) {}

    /** When the permit that has this many permits before it comes: exact to half a second. */
    public Instant timeOfPermit(long permitsAhead) {
        return timeOfPermit(breakPoints, permitsAhead);
    }

    /** The same, by these break points. */
    public static Instant timeOfPermit(List<BreakPoint> breakPoints, long permitsAhead) {
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
        long permits = permitsAhead - from.permit();
        long wait = from.gapNs() > 0 && permits > MAX_WAIT_NS / from.gapNs() ? MAX_WAIT_NS : permits * from.gapNs();
        return from.at().plusNanos(wait);
    }

    /** The time of the call of a job that joins the lane of this tenant and priority now, at its end; null while paused. */
    public @Nullable Instant etaOfNewJob(String tenant, Priority priority, int cost) {
        if (state.equals(PAUSED)) {
            return null;
        }
        double weight = weights.of(tenant, priority);
        for (Lane lane : lanes) {
            if (lane.tenant().equals(tenant) && lane.priority() == priority) {
                return timeOfPermit(permitsAhead(lane, lane.tail() - lane.head()) + cost - 1);
            }
        }
        double start = lanes.stream()
                .mapToDouble(l -> l.finish() - averageCost(l) / l.weight())
                .min()
                .orElse(0);
        long ahead = 0;
        for (Lane other : lanes) {
            ahead += permitsBefore(other, start + cost / weight);
        }
        return timeOfPermit(ahead + cost - 1);
    }

    /**
     * The time of the call of the job with number {@code seq} of a lane; null when the lane does not know that number, and
     * while paused.
     */
    public @Nullable Instant etaOfQueuedJob(String tenant, Priority priority, long seq) {
        if (state.equals(PAUSED)) {
            return null;
        }
        for (Lane lane : lanes) {
            if (lane.tenant().equals(tenant)
                    && lane.priority() == priority
                    && seq >= lane.head()
                    && seq < lane.tail()) {
                return timeOfPermit(permitsAhead(lane, seq - lane.head()));
            }
        }
        return null;
    }

    /** Permits that go to any lane before the job with {@code jobsBefore} jobs before it in its lane. */
    private long permitsAhead(Lane own, long jobsBefore) {
        double finish = own.finish() + jobsBefore * averageCost(own) / own.weight();
        long ahead = Math.round(jobsBefore * averageCost(own));
        for (Lane other : lanes) {
            if (!other.equals(own)) {
                ahead += permitsBefore(other, finish);
            }
        }
        return ahead;
    }

    /** Permits that a lane takes up to a virtual time. */
    private static long permitsBefore(Lane lane, double virtualTime) {
        if (lane.finish() > virtualTime) {
            return 0;
        }
        double cost = averageCost(lane);
        long jobs = Math.min(
                lane.tail() - lane.head(), 1 + (long) Math.floor((virtualTime - lane.finish()) * lane.weight() / cost));
        return Math.round(jobs * cost);
    }

    private static double averageCost(Lane lane) {
        long jobs = lane.tail() - lane.head();
        return jobs <= 0 ? 1 : (double) lane.cost() / jobs;
    }
}
