package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.upstream.Job;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Test;

class ReadAheadTest {
    private static final byte[] REQUEST = new byte[3000];
    private static final byte[] ENDED = JobForm.end(new Job(
            Job.VERSION,
            new Job.Spec("id", "t", "api", Priority.LOW, 1, Instant.EPOCH, null, "hash"),
            JobStatus.DEAD,
            3,
            new Job.Tally(1, 0, 0, 0),
            new Job.Place(null, null, null, null, Instant.EPOCH),
            null));

    static {
        REQUEST[0] = ENDED[0];
        REQUEST[1] = 1;
    }

    @Test
    void shouldSayWhatTheStoreHas_whateverIsPutAndTakenMeanwhile() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        KeyValueStore<Bytes, byte[]> store =
                Stores.inMemoryKeyValueStore("jobs").get();
        StoreWrites writes = new StoreWrites(store);
        ReadAhead ahead = new ReadAhead(writes);
        List<Bytes> keys = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            Bytes key = Keys.request(String.format("%08d", i));
            keys.add(key);
            store.put(key, random.nextInt(9) == 0 ? ENDED : REQUEST.clone());
        }

        // In order, from lane to lane; and now and then, somewhere.
        for (int i = 0; i < 60_000; i++) {
            int at = random.nextInt(5) == 0
                    ? random.nextInt(keys.size())
                    : (i / 64 * 960 + i % 64 * 15 + i / 960) % keys.size();
            Bytes key = keys.get(at);
            if (random.nextInt(10) == 0) {
                byte[] value = random.nextInt(3) == 0 ? null : random.nextBoolean() ? ENDED : REQUEST.clone();
                writes.put(key, value);
                ahead.changed(key);
            }

            assertThat(ahead.get(key)).as("seed %d", seed).isSameAs(writes.get(key));
            assertThat(ahead.bytes()).isBetween(0, ReadAhead.MOST_BYTES);
        }
    }
}
