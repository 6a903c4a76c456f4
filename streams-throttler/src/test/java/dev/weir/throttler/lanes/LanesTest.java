package dev.weir.throttler.lanes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Weights;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.Priority;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LanesTest {
    private static final Instant ACCEPTED = Instant.parse("2026-11-22T10:00:00Z");
    private static final Weights.Priorities EVEN = new Weights.Priorities(1, 1, 1);

    private final MapStore store = new MapStore();

    @Test
    void shouldShareThreeToOne_withinOneCall_whenBothLanesAreFull() {
        Lanes lanes = new Lanes(store, new Weights(Map.of("acme", 3), EVEN));
        fill(lanes, "acme", 4000, 1);
        fill(lanes, "bolt", 4000, 1);

        List<String> turns = take(lanes, 4000);

        for (int from = 0; from + 900 <= turns.size(); from++) {
            long acme = turns.subList(from, from + 900).stream()
                    .filter("acme"::equals)
                    .count();
            assertThat(acme).isBetween(674L, 676L);
        }
    }

    @Test
    void shouldGoByTheTenantsOwnWeight_whereTheUpstreamNamesNone() {
        Map<String, Integer> clients = Map.of("acme", 3, "bolt", 9);
        Lanes lanes = new Lanes(store, new Weights(Map.of("bolt", 1), EVEN), clients);
        fill(lanes, "acme", 1000, 1);
        fill(lanes, "bolt", 1000, 1);

        assertThat(take(lanes, 400)).filteredOn("acme"::equals).hasSizeBetween(299, 301);

        lanes.configure(new Weights(Map.of("acme", 1, "bolt", 1), EVEN));
        assertThat(take(lanes, 400)).filteredOn("acme"::equals).hasSizeBetween(199, 201);

        lanes.configure(new Weights(Map.of(), EVEN));
        assertThat(take(lanes, 400)).filteredOn("acme"::equals).hasSizeBetween(99, 101);
        assertThat(lanes.weights().tenants()).isEqualTo(clients);
    }

    @Test
    void shouldTakeASingleJobWithinItsShare_whenOthersHaveAHundredThousandWaiting() {
        Lanes lanes = new Lanes(store, new Weights(Map.of("acme", 3), EVEN));
        fill(lanes, "acme", 100_000, 1);
        fill(lanes, "bolt", 100_000, 1);
        take(lanes, 1000);

        fill(lanes, "single", 1, 1);

        // One of five shares: it is among the next five turns, and one more for the turn that is under way.
        assertThat(take(lanes, 6)).contains("single");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void shouldShareByCost_whenJobsCostDifferently(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Lanes lanes = new Lanes(store, new Weights(Map.of("acme", 2), EVEN));
        for (int i = 0; i < 3000; i++) {
            fill(lanes, "acme", 1, 1 + random.nextInt(9));
            fill(lanes, "bolt", 1, 1 + random.nextInt(9));
        }

        Map<String, Long> cost = new HashMap<>();
        for (int i = 0; i < 3000; i++) {
            Lanes.Turn turn = lanes.next();
            assertThat(turn).isNotNull();
            lanes.take(turn);
            cost.merge(turn.lane().tenant(), (long) turn.entry().cost(), Long::sum);
        }

        assertThat((double) cost.getOrDefault("acme", 0L) / 2 - cost.getOrDefault("bolt", 0L))
                .isBetween(-9.0, 9.0);
    }

    @Test
    void shouldShareByTheNewWeights_atOnce_whenTheyChange() {
        Lanes lanes = new Lanes(store, new Weights(Map.of("acme", 1000), EVEN));
        fill(lanes, "acme", 10_000, 1);
        fill(lanes, "bolt", 10_000, 1);
        take(lanes, 500);

        lanes.configure(new Weights(Map.of("bolt", 3), EVEN));

        assertThat(take(lanes, 400).stream().filter("bolt"::equals).count()).isBetween(299L, 301L);
    }

    @Test
    void shouldPassOverATakenOutJob_andKeepTheOthersOrder() {
        Lanes lanes = new Lanes(store, Weights.DEFAULT);
        List<Lanes.Place> places = fill(lanes, "acme", 3000, 1);
        for (int i = 1; i < 2900; i++) {
            Lanes.Place place = places.get(i);
            lanes.remove(place.lane(), place.number(), entry("acme", i, 1));
        }

        List<Long> numbers = new ArrayList<>();
        while (lanes.waiting() > 0) {
            // A turn passes over a bounded number of gaps, and says so by giving none.
            Lanes.Turn turn = lanes.next();
            if (turn != null) {
                lanes.take(turn);
                numbers.add(turn.number());
            }
        }

        assertThat(numbers).hasSize(101).startsWith(0L, 2900L, 2901L).endsWith(2999L);
    }

    @Test
    void shouldStandInTheSharedLane_whenThereAreTooManyLanes() {
        Lanes lanes = new Lanes(store, Weights.DEFAULT);
        for (int i = 0; i < Lanes.MOST_LANES; i++) {
            fill(lanes, "tenant-" + i, 1, 1);
        }

        List<Lanes.Place> late = fill(lanes, "late", 2, 1);
        List<Lanes.Place> early = fill(lanes, "tenant-7", 1, 1);

        assertThat(late).allSatisfy(place -> assertThat(place.lane().tenant()).isEqualTo(Forecast.SHARED));
        assertThat(late.get(1).number()).isEqualTo(1);
        assertThat(early.get(0).lane().tenant()).isEqualTo("tenant-7");
        assertThat(take(lanes, Lanes.MOST_LANES + 3)).contains(Forecast.SHARED);
        assertThat(lanes.waiting()).isZero();
    }

    @Test
    void shouldWriteEachLaneOnce_asItIsWhenItIsSaved() {
        Lanes lanes = new Lanes(store, Weights.DEFAULT);
        fill(lanes, "acme", 3, 1);
        fill(lanes, "bolt", 2, 1);
        fill(lanes, "gone", 1, 1);
        lanes.save();
        store.written.clear();

        fill(lanes, "acme", 2, 1);
        take(lanes, 8);
        fill(lanes, "gone", 1, 5);
        lanes.save();

        assertThat(store.written).singleElement().satisfies(lane -> {
            assertThat(lane.key().tenant()).isEqualTo("gone");
            assertThat(lane.cost()).isEqualTo(5);
        });
        assertThat(store.lanes).containsOnlyKeys(store.written.get(0).key());
        lanes.save();
        assertThat(store.written).hasSize(1);
    }

    private static LaneEntry entry(String tenant, int i, int cost) {
        return new LaneEntry(tenant + "-" + i, cost, ACCEPTED, true);
    }

    private static List<Lanes.Place> fill(Lanes lanes, String tenant, int jobs, int cost) {
        List<Lanes.Place> places = new ArrayList<>();
        for (int i = 0; i < jobs; i++) {
            places.add(lanes.append(new LaneKey("gemini", tenant, Priority.NORMAL), entry(tenant, i, cost)));
        }
        return places;
    }

    private static List<String> take(Lanes lanes, int turns) {
        List<String> tenants = new ArrayList<>();
        for (int i = 0; i < turns; i++) {
            Lanes.Turn turn = lanes.next();
            assertThat(turn).isNotNull();
            lanes.take(turn);
            tenants.add(turn.lane().tenant());
        }
        return tenants;
    }

    private static final class MapStore implements LaneStore {
        private record At(LaneKey lane, long number) {}

        private final Map<At, LaneEntry> entries = new HashMap<>();
        private final Map<LaneKey, LaneState> lanes = new HashMap<>();
        private final List<LaneState> written = new ArrayList<>();

        @Override
        public @Nullable LaneEntry laneEntry(LaneKey lane, long number) {
            return entries.get(new At(lane, number));
        }

        @Override
        public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
            entries.put(new At(lane, number), entry);
        }

        @Override
        public void deleteLaneEntry(LaneKey lane, long number) {
            entries.remove(new At(lane, number));
        }

        @Override
        public void putLane(LaneState lane) {
            lanes.put(lane.key(), lane);
            written.add(lane);
        }

        @Override
        public void deleteLane(LaneKey lane, long head) {
            lanes.remove(lane);
        }
    }
}
