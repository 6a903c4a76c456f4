package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.junit.jupiter.api.Test;

class HeadWritesTest {
    private final KeyValueStore<Bytes, byte[]> store =
            Stores.inMemoryKeyValueStore("heads").get();
    private final HeadWrites heads = new HeadWrites(store);

    @Test
    void shouldHaveAllInTheStore_whenMoreWasWrittenThanMayWait() {
        int records = 2 * HeadWrites.MOST_WAITING + 1;
        for (int i = 0; i < records; i++) {
            heads.write(key(i), new byte[] {1});
        }
        assertThat(store.approximateNumEntries()).isEqualTo(2 * HeadWrites.MOST_WAITING);

        heads.flush();

        assertThat(store.approximateNumEntries()).isEqualTo(records);
    }

    @Test
    void shouldKeepTheLastOfWhatWasWritten_whenARecordGoesAndComesAgain() {
        heads.write(key(1), new byte[] {1});
        heads.write(key(1), null);
        heads.write(key(1), new byte[] {2});
        heads.write(key(2), new byte[] {3});
        heads.write(key(2), null);

        heads.flush();

        assertThat(store.get(key(1))).containsExactly(2);
        assertThat(store.get(key(2))).isNull();
    }

    private static Bytes key(int i) {
        return Bytes.wrap(("record-" + i).getBytes(StandardCharsets.UTF_8));
    }
}
