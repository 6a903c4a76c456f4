package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.Priority;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the jobs of each lane cost, as a sample of them says. Not thread-safe. */
final class CostSamples {
    /** Fewer say too little of a lane: it is taken to be like all of them together. */
    private static final int FEW = 16;

    private final Map<Key, Sample> byLane = new HashMap<>();
    private final Sample all;

    private record Key(String tenant, Priority priority) {}

    /** Costs, in the shares in which they are mixed; see {@link Forecast.Lane} for the others. */
    record Sample(List<Integer> costs, long step, double residual) {
        static Sample of(List<Integer> costs) {
            long step = 0;
            double sum = 0;
            double squares = 0;
            for (int cost : costs) {
                step = gcd(step, cost);
                sum += cost;
                squares += (double) cost * cost;
            }
            return new Sample(costs, step, squares / (2 * sum));
        }

        /** They all cost the same, as far as a sample can tell, and as their sum confirms. */
        boolean isUniform(Forecast.Lane lane) {
            return costs.get(0) == step && lane.cost() == step * lane.jobs();
        }

        Forecast.Lane in(Forecast.Lane lane) {
            return lane.with(step, residual);
        }

        private static long gcd(long a, long b) {
            return b == 0 ? a : gcd(b, a % b);
        }
    }

    /** @param samples empty when each job costs 1 */
    CostSamples(List<Forecast.LaneCosts> samples) {
        samples.forEach(s -> byLane.put(new Key(s.tenant(), s.priority()), Sample.of(s.costs())));
        all = Sample.of(samples.stream().flatMap(s -> s.costs().stream()).toList());
    }

    boolean isEmpty() {
        return byLane.isEmpty();
    }

    Sample of(Forecast.Lane lane) {
        Sample own = byLane.get(new Key(lane.tenant(), lane.priority()));
        return own != null && (own.costs().size() >= FEW || own.isUniform(lane)) ? own : all;
    }
}
