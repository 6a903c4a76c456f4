package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.stream.IntStream;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PagesTest {
    private static final Instant AT = Instant.parse("2026-11-22T10:00:00.123456789Z");
    private static final int LANES = 3;
    private static final int MOST = 256;
    /** More pages than are held as objects. */
    private static final int NUMBERS = MOST * PageForm.ENTRIES;
    /** A lane's last page is hardly ever held any more when the next entry comes. */
    private static final int FEW = 8;

    private final long seed = System.nanoTime();
    private final SplittableRandom random = new SplittableRandom(seed);
    private final KeyValueStore<Bytes, byte[]> store =
            Stores.inMemoryKeyValueStore("heads").get();
    private HeadWrites heads = new HeadWrites(store);
    private Pages<LaneKey, LaneEntry> pages = new Pages<>(heads, new LanePage(), MOST);
    private List<Pages<LaneKey, LaneEntry>.End> ends = List.of();
    private final List<Map<Long, LaneEntry>> expected = new ArrayList<>();
    /** Above every number that the lane ever had. */
    private final long[] tails = new long[LANES];

    @ParameterizedTest
    @ValueSource(ints = {FEW, MOST})
    void shouldKeepEntriesLikeAMap_whateverIsPutAndTaken_writtenOrNot(int most) {
        open(most);
        for (int lane = 0; lane < LANES; lane++) {
            expected.add(new HashMap<>());
        }

        for (int step = 0; step < 200_000; step++) {
            int of = random.nextInt(LANES);
            change(of, number(of, step), step);
            if (random.nextInt(5000) == 0) {
                heads.flush();
            }
            if (random.nextInt(20_000) == 0) {
                heads.flush();
                open(most);
            }
            of = random.nextInt(LANES);
            compare(of, number(of, step));
        }
        for (int of = 0; of < LANES; of++) {
            for (long number = -NUMBERS; number < tails[of]; number++) {
                compare(of, number);
            }
            for (long number : List.copyOf(expected.get(of).keySet())) {
                removePage(of, number);
            }
        }
        heads.flush();

        assertThat(store.approximateNumEntries()).as("seed %d", seed).isZero();
    }

    /** Mostly near each other, as they are in the ends of a lane. */
    private long number(int of, int step) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(-NUMBERS, NUMBERS);
            case 1 -> tails[of] - random.nextInt(40);
            default -> step / 1000 + random.nextInt(-40, 40);
        };
    }

    private void change(int of, long number, int step) {
        Map<Long, LaneEntry> lane = expected.get(of);
        switch (random.nextInt(12)) {
            case 0 -> removePage(of, number);
            case 1, 2, 3 -> {
                pages.remove(lane(of), number);
                lane.remove(number);
            }
            case 4, 5, 6, 7 -> {
                LaneEntry entry = entry(step);
                long tail = tails[of]++;
                if (random.nextBoolean()) {
                    pages.add(lane(of), tail, entry);
                } else {
                    ends.get(of).add(tail, entry);
                }
                lane.put(tail, entry);
            }
            default -> {
                LaneEntry entry = entry(step);
                pages.put(lane(of), number, entry);
                lane.put(number, entry);
                tails[of] = Math.max(tails[of], number + 1);
            }
        }
    }

    private void removePage(int of, long number) {
        pages.removePage(lane(of), number);
        expected.get(of).keySet().removeIf(other -> PageForm.page(other) == PageForm.page(number));
    }

    private void compare(int of, long number) {
        Map<Long, LaneEntry> lane = expected.get(of);
        List<LaneEntry> following = new ArrayList<>();
        for (long next = number; PageForm.page(next) == PageForm.page(number); next++) {
            LaneEntry entry = lane.get(next);
            if (entry == null) {
                break;
            }
            following.add(entry);
        }
        assertThat(pages.get(lane(of), number)).as("seed %d", seed).isEqualTo(lane.get(number));
        assertThat(pages.from(lane(of), number)).as("seed %d", seed).isEqualTo(following);
    }

    private LaneEntry entry(int step) {
        return new LaneEntry(
                random.nextBoolean() ? new UUID(random.nextLong(), random.nextLong()).toString() : "id-" + step,
                1 + random.nextInt(1000),
                AT.plusNanos(random.nextLong(1L << 50)),
                random.nextBoolean());
    }

    private void open(int most) {
        heads = new HeadWrites(store);
        pages = new Pages<>(heads, new LanePage(), most);
        ends = IntStream.range(0, LANES).mapToObj(of -> pages.end(lane(of))).toList();
    }

    private static LaneKey lane(int of) {
        return new LaneKey("api", "tenant-" + of, Priority.LOW);
    }
}
