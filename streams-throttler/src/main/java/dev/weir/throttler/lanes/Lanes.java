package dev.weir.throttler.lanes;

import dev.weir.contracts.config.Weights;
import dev.weir.contracts.wire.Forecast;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The lanes of one upstream and whose turn it is: self-clocked fair queueing (Golestani 1994). The lane with the earliest
 * virtual finish time goes first; a job of cost c in a lane of weight w moves its lane's finish time on by c / w. A lane
 * numbers its jobs densely, so that the next job is a point get and its place is a subtraction. O(log lanes). Not
 * thread-safe.
 */
public final class Lanes {
    /** Numbers without a job that are passed over at a time; the rest follow at the next turn. */
    public static final int MAX_HOLES_PER_TURN = 1000;
    /** Lanes of their own; whoever comes when there are so many stands in the shared lane of that priority. */
    public static final int MOST_LANES = 10_000;

    /**
     * Sums of fractions that should be the same differ by a rounding, and whose turn it is would follow from that: names
     * decide instead, as a forecast can tell.
     */
    private static final Comparator<Lane> BY_TURN = Comparator.comparingDouble((Lane l) -> Forecast.turn(l.finish))
            .thenComparing(l -> l.key.tenant())
            .thenComparing(l -> l.key.priority());

    private final LaneStore store;
    private final Map<String, Integer> tenantWeights;
    private Weights weights;
    private final Map<LaneKey, Lane> lanes = new HashMap<>();
    private final TreeSet<Lane> turns = new TreeSet<>(BY_TURN);
    /** Since they were saved, those that are gone again among them: no more than jobs came or went meanwhile. */
    private final List<Lane> changed = new ArrayList<>();

    private double virtualTime;
    private long waiting;
    private long waitingCost;

    private static final class Lane {
        final LaneKey key;
        final LaneStore.LaneEnd end;
        double weight;
        long head;
        long tail;
        long jobs;
        long cost;
        long headCost;
        long tailCost;
        double finish;
        /** The jobs from the head on, as far as they were read. */
        final Deque<LaneEntry> read = new ArrayDeque<>();

        boolean changed;
        boolean gone;

        Lane(LaneKey key, LaneStore.LaneEnd end, double weight) {
            this.key = key;
            this.end = end;
            this.weight = weight;
        }

        LaneState state() {
            return new LaneState(LaneState.VERSION, key, head, tail, jobs, cost, headCost, tailCost, finish);
        }

        /** The number at the head is nobody's: the cost of those who were taken out is taken to be the same for each. */
        void passHole() {
            headCost += (tailCost - headCost - cost) / (tail - head - jobs);
            head++;
        }
    }

    /**
     * Where a job was put.
     *
     * @param cost the lane's count of cost there
     */
    public record Place(LaneKey lane, long number, long cost) {}

    /** The job whose turn it is. */
    public record Turn(LaneKey lane, long number, LaneEntry entry) {}

    public Lanes(LaneStore store, Weights weights) {
        this(store, weights, Map.of());
    }

    /** @param tenantWeights of tenants that the weights do not name */
    public Lanes(LaneStore store, Weights weights, Map<String, Integer> tenantWeights) {
        this.store = store;
        this.tenantWeights = tenantWeights;
        this.weights = weights.orElse(tenantWeights);
    }

    /** In force, of lanes that are not there yet too. */
    public Weights weights() {
        return weights;
    }

    /** Changes the weights: what is left until a lane's turn is shared out anew, what it has waited for already stands. */
    public void configure(Weights newWeights) {
        weights = newWeights.orElse(tenantWeights);
        turns.clear();
        for (Lane lane : lanes.values()) {
            double weight = weight(lane.key);
            if (weight != lane.weight) {
                lane.finish = virtualTime + (lane.finish - virtualTime) * lane.weight / weight;
                lane.weight = weight;
                changed(lane);
            }
            turns.add(lane);
        }
    }

    /** Puts back a lane of an earlier run. */
    public void restore(LaneState state) {
        Lane lane = newLane(state.key());
        lane.head = state.head();
        lane.tail = state.tail();
        lane.jobs = state.jobs();
        lane.cost = state.cost();
        lane.headCost = state.headCost();
        lane.tailCost = state.tailCost();
        lane.finish = state.finish();
        lanes.put(lane.key, lane);
        turns.add(lane);
        waiting += lane.jobs;
        waitingCost += lane.cost;
    }

    /** Puts back the virtual time of an earlier run. */
    public void restore(double earlierVirtualTime) {
        virtualTime = earlierVirtualTime;
    }

    /** Writes the lanes that have changed: before each commit. */
    public void save() {
        for (Lane lane : changed) {
            lane.changed = false;
            if (!lane.gone) {
                store.putLane(lane.state());
            }
        }
        changed.clear();
    }

    public double virtualTime() {
        return virtualTime;
    }

    public long waiting() {
        return waiting;
    }

    /** Permits that all waiting jobs need together. */
    public long waitingCost() {
        return waitingCost;
    }

    /** Puts a job at the end of its lane. */
    public Place append(LaneKey key, LaneEntry entry) {
        Lane lane = laneFor(key, entry);
        Place place = new Place(lane.key, lane.tail++, lane.tailCost);
        lane.tailCost += entry.cost();
        lane.end.append(place.number(), entry);
        added(lane, entry);
        return place;
    }

    /** Puts a job back at the front of its lane. */
    public Place prepend(LaneKey key, LaneEntry entry) {
        Lane lane = laneFor(key, entry);
        lane.headCost -= entry.cost();
        lane.read.clear();
        lane.read.add(entry);
        Place place = new Place(lane.key, --lane.head, lane.headCost);
        store.putLaneEntry(lane.key, place.number(), entry);
        added(lane, entry);
        return place;
    }

    /** Whose turn it is, or null when nobody waits or too many gaps were passed over at once. */
    public @Nullable Turn next() {
        int holes = 0;
        while (!turns.isEmpty()) {
            Lane lane = turns.first();
            while (lane.read.isEmpty() && lane.head < lane.tail) {
                lane.read.addAll(store.laneEntries(lane.key, lane.head));
                if (lane.read.isEmpty()) {
                    store.passLaneEntry(lane.key, lane.head);
                    lane.passHole();
                    if (++holes >= MAX_HOLES_PER_TURN) {
                        changed(lane);
                        return null;
                    }
                }
            }
            LaneEntry head = lane.read.peek();
            if (head != null) {
                return new Turn(lane.key, lane.head, head);
            }
            drop(lane);
        }
        return null;
    }

    /** Takes the job whose turn it is out of its lane because it got a permit: its lane's share is spent. */
    public void take(Turn turn) {
        Lane lane = turns.pollFirst();
        if (lane == null || !lane.key.equals(turn.lane()) || lane.head != turn.number()) {
            throw new IllegalStateException("it is not the turn of number " + turn.number() + " in " + turn.lane());
        }
        virtualTime = Math.max(virtualTime, lane.finish);
        leave(lane, turn.entry());
        store.passLaneEntry(lane.key, turn.number());
        lane.head++;
        lane.headCost += turn.entry().cost();
        lane.read.remove();
        if (lane.jobs == 0) {
            drop(lane);
        } else {
            // The next job's cost is taken as this one's until it is read; lanes of mixed costs even out over time.
            lane.finish += turn.entry().cost() / lane.weight;
            turns.add(lane);
            changed(lane);
        }
    }

    /** Takes a job out wherever it stands in its lane, without a permit. */
    public void remove(LaneKey key, long number, LaneEntry entry) {
        Lane lane = lanes.get(key);
        if (lane == null || number < lane.head || number >= lane.tail) {
            return;
        }
        leave(lane, entry);
        lane.read.clear();
        store.deleteLaneEntry(key, number);
        if (number == lane.head) {
            store.passLaneEntry(key, number);
            lane.head++;
            lane.headCost += entry.cost();
        }
        if (lane.jobs == 0) {
            turns.remove(lane);
            drop(lane);
        } else {
            changed(lane);
        }
    }

    /** The acceptance time of the oldest of the lanes' heads, or null when nobody waits. */
    public @Nullable Instant oldest() {
        Instant oldest = null;
        for (Lane lane : turns) {
            LaneEntry head = lane.read.peek();
            if (head == null && lane.head < lane.tail) {
                head = store.laneEntry(lane.key, lane.head);
                if (head != null) {
                    lane.read.add(head);
                }
            }
            if (head != null && (oldest == null || head.acceptedAt().isBefore(oldest))) {
                oldest = head.acceptedAt();
            }
        }
        return oldest;
    }

    /** The lanes as a forecast tells them, in the order of their turns. */
    public Stream<Forecast.Lane> forecast() {
        return turns.stream()
                .map(lane -> new Forecast.Lane(
                        lane.key.tenant(),
                        lane.key.priority(),
                        lane.head,
                        lane.tail,
                        lane.jobs,
                        lane.cost,
                        lane.headCost,
                        lane.tailCost,
                        lane.weight,
                        lane.finish,
                        1,
                        0.5));
    }

    /** The costs of waiting jobs that stand evenly spread over all lanes, at most so many. */
    public List<Forecast.LaneCosts> sampleCosts(int most) {
        List<Forecast.LaneCosts> samples = new ArrayList<>();
        double step = Math.max(1, (double) waiting / most);
        double next = step / 2;
        double passed = 0;
        for (Lane lane : turns) {
            List<Integer> costs = new ArrayList<>();
            double spread = (double) (lane.tail - lane.head) / lane.jobs;
            for (; next < passed + lane.jobs; next += step) {
                LaneEntry entry = store.laneEntry(lane.key, lane.head + (long) ((next - passed) * spread));
                if (entry != null) {
                    costs.add(entry.cost());
                }
            }
            passed += lane.jobs;
            if (!costs.isEmpty()) {
                samples.add(new Forecast.LaneCosts(lane.key.tenant(), lane.key.priority(), costs));
            }
        }
        return samples;
    }

    private double weight(LaneKey key) {
        return weights.of(key.tenant(), key.priority());
    }

    private Lane newLane(LaneKey key) {
        return new Lane(key, store.laneEnd(key), weight(key));
    }

    private Lane laneFor(LaneKey own, LaneEntry entry) {
        LaneKey key = lanes.containsKey(own) || lanes.size() < MOST_LANES
                ? own
                : new LaneKey(own.upstream(), Forecast.SHARED, own.priority());
        Lane lane = lanes.get(key);
        if (lane == null) {
            lane = newLane(key);
            lane.finish = virtualTime + entry.cost() / lane.weight;
            lanes.put(key, lane);
            turns.add(lane);
        }
        return lane;
    }

    private void added(Lane lane, LaneEntry entry) {
        lane.jobs++;
        lane.cost += entry.cost();
        waiting++;
        waitingCost += entry.cost();
        changed(lane);
    }

    private void leave(Lane lane, LaneEntry entry) {
        lane.jobs--;
        lane.cost -= entry.cost();
        waiting--;
        waitingCost -= entry.cost();
    }

    private void changed(Lane lane) {
        if (!lane.changed) {
            lane.changed = true;
            changed.add(lane);
        }
    }

    private void drop(Lane lane) {
        turns.remove(lane);
        lanes.remove(lane.key);
        lane.gone = true;
        store.deleteLane(lane.key, lane.head);
    }
}
