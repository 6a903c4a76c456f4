package dev.weir.throttler.simulation;

import dev.weir.contracts.config.Weights;
import dev.weir.throttler.lanes.LaneKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Fair within one call per lane: while two lanes both have jobs waiting, over any stretch of time, what each of them got, by
 * its weight, differs by no more than one call of each.
 */
final class FairnessWatch {
    private static final double ROUNDING = 1e-6;

    private static final class Lane {
        final LaneKey key;
        double weight;
        long waiting;
        int highestCost;

        Lane(LaneKey key, double weight) {
            this.key = key;
            this.weight = weight;
        }
    }

    /** What the first got more than the second since both have waited, by weight: now, at the least, and at the most. */
    private static final class Pair {
        final Lane a;
        final Lane b;
        double ahead;
        double least;
        double most;

        Pair(Lane a, Lane b) {
            this.a = a;
            this.b = b;
        }

        void startAgain() {
            ahead = 0;
            least = 0;
            most = 0;
        }
    }

    private final Map<LaneKey, Lane> lanes = new HashMap<>();
    private final List<Pair> pairs = new ArrayList<>();
    private Weights weights;

    FairnessWatch(Weights weights) {
        this.weights = weights;
    }

    /** What each may expect begins anew with other weights. */
    void configure(Weights newWeights) {
        if (newWeights.equals(weights)) {
            return;
        }
        weights = newWeights;
        lanes.values().forEach(lane -> lane.weight = weights.of(lane.key.tenant(), lane.key.priority()));
        pairs.forEach(Pair::startAgain);
    }

    void joined(LaneKey key, int cost) {
        Lane lane = lane(key);
        lane.waiting++;
        lane.highestCost = Math.max(lane.highestCost, cost);
    }

    /** Out of its lane, without a permit. */
    void left(LaneKey key) {
        Lane lane = lane(key);
        if (--lane.waiting == 0) {
            for (Pair pair : pairs) {
                if (pair.a == lane || pair.b == lane) {
                    pair.startAgain();
                }
            }
        }
    }

    void served(LaneKey key, int cost) {
        Lane lane = lane(key);
        for (Pair pair : pairs) {
            if (pair.a.waiting > 0 && pair.b.waiting > 0 && (pair.a == lane || pair.b == lane)) {
                pair.ahead += (pair.a == lane ? cost : -cost) / lane.weight;
                pair.least = Math.min(pair.least, pair.ahead);
                pair.most = Math.max(pair.most, pair.ahead);
                double fair = pair.a.highestCost / pair.a.weight + pair.b.highestCost / pair.b.weight;
                if (pair.most - pair.least > fair + ROUNDING) {
                    throw new AssertionError("unfair: while both waited, " + pair.a.key + " and " + pair.b.key
                            + " differ by " + (pair.most - pair.least) + " calls by weight, fair is " + fair);
                }
            }
        }
        left(key);
    }

    private Lane lane(LaneKey key) {
        Lane known = lanes.get(key);
        if (known != null) {
            return known;
        }
        Lane lane = new Lane(key, weights.of(key.tenant(), key.priority()));
        lanes.values().forEach(other -> pairs.add(new Pair(other, lane)));
        lanes.put(key, lane);
        return lane;
    }
}
