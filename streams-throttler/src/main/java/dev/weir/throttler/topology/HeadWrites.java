package dev.weir.throttler.topology;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * What is written to the heads' store: the same pages and lanes again and again, once a commit. Pages are objects until then, and
 * become bytes when they are written. Nobody else writes to the store. Not thread-safe.
 */
final class HeadWrites {
    /** So many wait at most; with more, all go into the store. */
    static final int MOST_WAITING = 4096;

    private final KeyValueStore<Bytes, byte[]> heads;
    /** In the order in which they were changed first. */
    private final List<Head> changed = new ArrayList<>();
    /** Marks, and the upstreams: no more than there are of those. */
    private final Map<Bytes, Value> values = new HashMap<>();

    /** One record of the store, as it is to be. */
    abstract static class Head {
        private boolean changed;

        abstract Bytes key();

        /** Null to delete what is there. */
        abstract byte @Nullable [] bytes();

        final boolean isChanged() {
            return changed;
        }
    }

    private static final class Value extends Head {
        private final Bytes key;
        private byte @Nullable [] bytes;

        Value(Bytes key, byte @Nullable [] bytes) {
            this.key = key;
            this.bytes = bytes;
        }

        @Override
        Bytes key() {
            return key;
        }

        @Override
        byte @Nullable [] bytes() {
            return bytes;
        }
    }

    HeadWrites(KeyValueStore<Bytes, byte[]> heads) {
        this.heads = heads;
    }

    /** A mark, or the state of an upstream. */
    byte @Nullable [] get(Bytes key) {
        return value(key).bytes;
    }

    /** A mark, or the state of an upstream. */
    void put(Bytes key, byte[] bytes) {
        Value value = value(key);
        value.bytes = bytes;
        changed(value);
    }

    private Value value(Bytes key) {
        return values.computeIfAbsent(key, absent -> new Value(absent, heads.get(absent)));
    }

    /** What the store has, without what waits. */
    byte @Nullable [] written(Bytes key) {
        return heads.get(key);
    }

    /** It is written with the others, as it is then. */
    void changed(Head head) {
        if (!head.changed) {
            if (changed.size() >= MOST_WAITING) {
                flush();
            }
            head.changed = true;
            changed.add(head);
        }
    }

    /**
     * Of this record only this is known: whoever holds it as an object has to forget it.
     *
     * @param bytes null to delete it
     */
    void write(Bytes key, byte @Nullable [] bytes) {
        changed(new Value(key, bytes));
    }

    /** @param to exclusive */
    KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
        flush();
        return heads.range(from, to);
    }

    /** After this all is in the store. */
    void flush() {
        if (changed.isEmpty()) {
            return;
        }
        List<KeyValue<Bytes, byte[]>> entries = new ArrayList<>(changed.size());
        for (Head head : changed) {
            head.changed = false;
            entries.add(KeyValue.pair(head.key(), head.bytes()));
        }
        changed.clear();
        heads.putAll(entries);
    }
}
