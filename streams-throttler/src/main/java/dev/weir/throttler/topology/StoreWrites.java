package dev.weir.throttler.topology;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * A store whose writes wait for the next commit, which takes many at once for much less than one by one, and of what was changed
 * several times only the last. Not thread-safe.
 */
final class StoreWrites {
    /** So many wait at most, of so many bytes together; with more, all go into the store. */
    static final int MOST_WAITING = 4096;

    static final int MOST_WAITING_BYTES = 512 * 1024;

    private final KeyValueStore<Bytes, byte[]> store;
    /** Null for what is to go. */
    private final Map<Bytes, byte @Nullable []> waiting = new LinkedHashMap<>();

    private int bytes;

    StoreWrites(KeyValueStore<Bytes, byte[]> store) {
        this.store = store;
    }

    byte @Nullable [] get(Bytes key) {
        byte[] value = waiting.get(key);
        return value != null || waiting.containsKey(key) ? value : store.get(key);
    }

    /** @param value null to delete what is there */
    void put(Bytes key, byte @Nullable [] value) {
        byte[] before = waiting.put(key, value);
        bytes += length(value) - length(before);
        if (waiting.size() >= MOST_WAITING || bytes >= MOST_WAITING_BYTES) {
            flush();
        }
    }

    /** @param to exclusive */
    KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
        flush();
        return store.range(from, to);
    }

    /** After this all is in the store. */
    void flush() {
        if (waiting.isEmpty()) {
            return;
        }
        List<KeyValue<Bytes, byte[]>> entries = new ArrayList<>(waiting.size());
        waiting.forEach((key, value) -> entries.add(KeyValue.pair(key, value)));
        waiting.clear();
        bytes = 0;
        store.putAll(entries);
    }

    private static int length(byte @Nullable [] value) {
        return value == null ? 0 : value.length;
    }
}
