package dev.weir.throttler.testing;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The stores' changelog topics, compacted. The driver wipes its state directory when it closes, as Kafka Streams does after an
 * unclean end; what was written to the changelog is all that a restarted task finds. Not thread-safe.
 */
final class Changelog {
    private final Map<String, Map<Bytes, byte[]>> stores = new HashMap<>();

    /** @param value null for a deletion */
    void add(String store, byte[] key, byte[] value) {
        Map<Bytes, byte[]> entries = stores.computeIfAbsent(store, s -> new HashMap<>());
        if (value == null) {
            entries.remove(Bytes.wrap(key));
        } else {
            entries.put(Bytes.wrap(key), value);
        }
    }

    int entries(String store) {
        return stores.getOrDefault(store, Map.of()).size();
    }

    /** How many keys with a value begin with each byte. */
    Map<Character, Integer> kinds() {
        Map<Character, Integer> kinds = new TreeMap<>();
        stores.values()
                .forEach(store -> store.keySet().forEach(key -> kinds.merge((char) key.get()[0], 1, Integer::sum)));
        return kinds;
    }

    /** Writes the stores' files where a task that starts with these settings looks for them. */
    void restore(Properties settings, Path taskDir, TaskId task) {
        stores.forEach((name, entries) -> {
            KeyValueStore<Bytes, byte[]> store =
                    Stores.persistentKeyValueStore(name).get();
            MockProcessorContext<Void, Void> context = new MockProcessorContext<>(settings, task, taskDir.toFile());
            store.init(context.getStateStoreContext(), store);
            List<KeyValue<Bytes, byte[]>> all = new ArrayList<>(entries.size());
            entries.forEach((key, value) -> all.add(KeyValue.pair(key, value)));
            store.putAll(all);
            store.close();
        });
    }
}
