package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class StoreWritesTest {
    private static final int KEYS = 3000;
    private static final int CHANGES = 100_000;

    private final long seed = System.nanoTime();
    private final SplittableRandom random = new SplittableRandom(seed);
    private final KeyValueStore<Bytes, byte[]> store =
            Stores.inMemoryKeyValueStore("store").get();
    private final Map<Bytes, byte[]> expected = new HashMap<>();

    @Test
    void shouldSayWhatWasPutLast_writtenOrNot() {
        StoreWrites writes = new StoreWrites(store);

        for (int i = 0; i < CHANGES; i++) {
            Bytes key = key(random.nextInt(KEYS));
            byte[] value = value();
            writes.put(key, value);
            expect(key, value);
            if (random.nextInt(5000) == 0) {
                assertThat(entries(writes.range(key(0), key(KEYS))))
                        .as("seed %d", seed)
                        .isEqualTo(new TreeMap<>(expected));
            }
            Bytes asked = key(random.nextInt(KEYS));
            assertThat(writes.get(asked)).as("seed %d", seed).isSameAs(expected.get(asked));
        }
        writes.flush();

        assertThat(entries(store.all())).as("seed %d", seed).isEqualTo(new TreeMap<>(expected));
    }

    @Test
    void shouldWriteAtOnce_whenTooManyBytesWait() {
        StoreWrites writes = new StoreWrites(store);
        byte[] large = new byte[StoreWrites.MOST_WAITING_BYTES / 2 + 1];

        writes.put(key(1), large);
        assertThat(store.get(key(1))).isNull();
        writes.put(key(1), large);
        assertThat(store.get(key(1))).isNull();
        writes.put(key(2), large);

        assertThat(store.get(key(1))).isSameAs(large);
        assertThat(store.get(key(2))).isSameAs(large);
    }

    private void expect(Bytes key, byte @Nullable [] value) {
        if (value == null) {
            expected.remove(key);
        } else {
            expected.put(key, value);
        }
    }

    private byte @Nullable [] value() {
        return random.nextInt(4) == 0 ? null : new byte[random.nextInt(600)];
    }

    private static Bytes key(int number) {
        return Bytes.wrap(String.format("%08d", number).getBytes(StandardCharsets.UTF_8));
    }

    private static Map<Bytes, byte[]> entries(KeyValueIterator<Bytes, byte[]> iterator) {
        Map<Bytes, byte[]> entries = new TreeMap<>();
        try (iterator) {
            while (iterator.hasNext()) {
                KeyValue<Bytes, byte[]> entry = iterator.next();
                entries.put(entry.key, entry.value);
            }
        }
        return entries;
    }
}
