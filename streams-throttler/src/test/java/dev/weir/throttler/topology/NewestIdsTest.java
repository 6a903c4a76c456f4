package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.UUID;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Test;

class NewestIdsTest {
    private static final long AT = 1_795_000_000_000L;

    @Test
    void shouldNeverCallAnIdNewThatCameBefore_whateverTheOrderAndTheRestarts() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        KeyValueStore<Bytes, byte[]> store = store();
        HeadWrites heads = new HeadWrites(store);
        NewestIds ids = new NewestIds(heads);
        List<String> came = new ArrayList<>();
        Set<String> all = new HashSet<>();
        int found = 0;

        for (int i = 0; i < 60_000; i++) {
            if (random.nextInt(10_000) == 0) {
                heads.flush();
                heads = new HeadWrites(store);
                ids = new NewestIds(heads);
            }
            boolean again = !came.isEmpty() && random.nextInt(10) == 0;
            String id = again ? came.get(came.size() - 1 - random.nextInt(Math.min(came.size(), 5000))) : id(random, i);
            boolean isNew = ids.isNew(id);
            if (isNew) {
                found++;
                assertThat(all.contains(id)).as("seed %d", seed).isFalse();
            }
            if (all.add(id)) {
                came.add(id);
            }
        }

        assertThat(found).as("seed %d", seed).isGreaterThan(10_000);
    }

    @Test
    void shouldLookForEveryId_whenOneCameFromTheFuture_andWasForgotten() {
        SplittableRandom random = new SplittableRandom(7);
        KeyValueStore<Bytes, byte[]> store = store();
        HeadWrites heads = new HeadWrites(store);
        NewestIds ids = new NewestIds(heads);
        String future = timeOrdered(random, AT + 1_000_000_000);
        assertThat(ids.isNew(future)).isTrue();

        heads.flush();
        NewestIds restarted = new NewestIds(new HeadWrites(store));

        assertThat(restarted.isNew(future)).isFalse();
        assertThat(restarted.isNew(timeOrdered(random, AT))).isFalse();
    }

    @Test
    void shouldKnowThatOrdinaryIdsAreNew_alsoWhenTheyComeALittleOutOfOrder() {
        SplittableRandom random = new SplittableRandom(7);
        NewestIds ids = new NewestIds(new HeadWrites(store()));

        for (int i = 0; i < 20_000; i++) {
            assertThat(ids.isNew(timeOrdered(random, AT + 1000 + i / 10 - random.nextInt(50))))
                    .isTrue();
        }

        assertThat(ids.isNew(UUID.randomUUID().toString())).isFalse();
        assertThat(ids.isNew("no uuid")).isFalse();
    }

    private static KeyValueStore<Bytes, byte[]> store() {
        return Stores.inMemoryKeyValueStore("heads").get();
    }

    /** Mostly of the time that goes on, sometimes far off, and sometimes of another kind. */
    private static String id(SplittableRandom random, int i) {
        return switch (random.nextInt(20)) {
            case 0 -> new UUID(random.nextLong() & ~0xf000L | 0x8000L, random.nextLong()).toString();
            case 1 -> "text-" + i;
            case 2 -> timeOrdered(random, AT + random.nextInt(i + 1));
            default -> timeOrdered(random, AT + i + random.nextInt(300));
        };
    }

    private static String timeOrdered(SplittableRandom random, long ms) {
        return new UUID(ms << 16 | 0x7000L | random.nextInt(0x1000), Long.MIN_VALUE | random.nextLong() >>> 2)
                .toString();
    }
}
