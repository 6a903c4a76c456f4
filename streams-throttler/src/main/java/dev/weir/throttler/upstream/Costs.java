package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.Forecast;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.stream.Stream;

/**
 * What the next permits cost, one after the other: the lanes have their turns as in the throttle, and each lane's costs are
 * mixed as a sample of them is. That matters beside their sum: where a window is full, a permit of cost n waits until n are
 * free, and what is free until then is used by nobody. The same lanes give the same costs. After the last waiting job, each
 * costs 1. Not thread-safe.
 */
public final class Costs {
    /** Waiting jobs that are looked at. */
    static final int SAMPLE = 1000;

    private final PriorityQueue<Lane> turns =
            new PriorityQueue<>(Comparator.comparingDouble((Lane l) -> l.finish).thenComparingInt(l -> l.index));

    private static final class Lane {
        final int index;
        final double weight;
        final List<Integer> sample;
        double finish;
        long left;
        long taken;

        Lane(int index, Forecast.Lane lane, List<Integer> sample) {
            this.index = index;
            this.weight = lane.weight();
            this.sample = sample;
            this.finish = lane.finish();
            this.left = lane.cost();
        }

        int take() {
            // Weyl's sequence, mixed as in SplittableRandom (Steele et al. 2014): as good as chance, and repeatable.
            long z = (++taken + ((long) index << 40)) * 0x9e3779b97f4a7c15L;
            z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
            z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
            z = (z ^ (z >>> 31)) >>> 1;
            int cost = (int) Math.min(sample.get((int) (z % sample.size())), left);
            left -= cost;
            finish += cost / weight;
            return cost;
        }
    }

    Costs(Stream<Forecast.Lane> lanes, CostSamples samples) {
        if (!samples.isEmpty()) {
            lanes.forEach(lane ->
                    turns.add(new Lane(turns.size(), lane, samples.of(lane).costs())));
        }
    }

    /** Nobody waits. */
    public static Costs ofNothing() {
        return new Costs(Stream.of(), new CostSamples(List.of()));
    }

    /** Of the jobs that wait as a forecast tells. */
    public static Costs of(Forecast forecast) {
        Forecast.Basis basis = forecast.basis();
        return new Costs(forecast.lanes().stream(), new CostSamples(basis == null ? List.of() : basis.costs()));
    }

    /** The next permit's cost. */
    public int next() {
        Lane lane = turns.poll();
        if (lane == null) {
            return 1;
        }
        int cost = lane.take();
        if (lane.left > 0) {
            turns.add(lane);
        }
        return cost;
    }
}
