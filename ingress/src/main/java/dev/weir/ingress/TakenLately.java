package dev.weir.ingress;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.weir.contracts.wire.Priority;
import java.time.Duration;
import java.time.Instant;

/**
 * What was taken into each lane in the last seconds, in permits. A forecast is up to {@link #REACH} old, and knows nothing of
 * what came after it: without this, a burst of jobs would all be promised the same time. Other ingresses' jobs are not in it.
 * Thread-safe.
 */
final class TakenLately {
    /** An upstream at rest is told of that seldom. */
    static final Duration REACH = Duration.ofSeconds(10);

    static final int MOST_LANES = 10_000;
    private static final int STEPS = 100;
    private static final long STEP_MS = REACH.toMillis() / STEPS;

    private record Lane(String upstream, String tenant, Priority priority) {}

    /** Costs by the step in which they came, the steps of the last reach in a ring. */
    private static final class Ring {
        private final long[] steps = new long[STEPS];
        private final long[] costs = new long[STEPS];

        synchronized void add(long step, int cost) {
            int index = Math.floorMod(step, STEPS);
            if (steps[index] != step) {
                steps[index] = step;
                costs[index] = 0;
            }
            costs[index] += cost;
        }

        synchronized long since(long first) {
            long sum = 0;
            for (int i = 0; i < STEPS; i++) {
                sum += steps[i] >= first ? costs[i] : 0;
            }
            return sum;
        }
    }

    private final Cache<Lane, Ring> lanes = Caffeine.newBuilder()
            .maximumSize(MOST_LANES)
            .expireAfterAccess(REACH.multipliedBy(2))
            // Its upkeep is short, and not worth another thread's waking.
            .executor(Runnable::run)
            .build();

    void add(String upstream, String tenant, Priority priority, int cost, Instant now) {
        Lane lane = new Lane(upstream, tenant, priority);
        // Mostly it is there, and looking takes no lock.
        Ring ring = lanes.getIfPresent(lane);
        (ring == null ? lanes.get(lane, absent -> new Ring()) : ring).add(now.toEpochMilli() / STEP_MS, cost);
    }

    /** Permits of what came after that instant. */
    long since(String upstream, String tenant, Priority priority, Instant at) {
        Ring ring = lanes.getIfPresent(new Lane(upstream, tenant, priority));
        return ring == null ? 0 : ring.since(at.toEpochMilli() / STEP_MS + 1);
    }
}
