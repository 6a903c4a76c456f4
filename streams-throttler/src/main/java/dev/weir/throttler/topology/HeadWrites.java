package dev.weir.throttler.topology;

import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * What is written to the heads' store: the same pages and lanes again and again, once a commit. Nobody else writes to the store,
 * so what was used lately need not be looked for in it. Not thread-safe.
 */
final class HeadWrites {
    /** The ends of so many lanes and permit logs, mostly less than a kilobyte each. */
    static final int MOST_PAGES = 1024;

    private final KeyValueStore<Bytes, byte[]> heads;
    /** The one that was not used for the longest time comes first. */
    private final Map<Bytes, Page> recent = new LinkedHashMap<>(MOST_PAGES, 0.75f, true);
    /** Of those, not in the store yet. */
    private final List<Page> changed = new ArrayList<>();
    /** Not written yet, null for those that are no more; no more than there are lanes. */
    private final Map<LaneKey, @Nullable LaneState> lanes = new LinkedHashMap<>();

    private static final class Page {
        final Bytes key;
        byte @Nullable [] bytes;
        boolean changed;

        Page(Bytes key, byte @Nullable [] bytes) {
            this.key = key;
            this.bytes = bytes;
        }
    }

    HeadWrites(KeyValueStore<Bytes, byte[]> heads) {
        this.heads = heads;
    }

    byte @Nullable [] get(Bytes key) {
        return page(key, false).bytes;
    }

    void put(Bytes key, byte @Nullable [] bytes) {
        change(page(key, true), bytes);
    }

    /**
     * @param isNew whether the store has none under this key, for certain
     * @param change makes the new page of the old one; null is none
     */
    void change(Bytes key, boolean isNew, UnaryOperator<byte @Nullable []> change) {
        Page page = page(key, isNew);
        change(page, change.apply(page.bytes));
    }

    private void change(Page page, byte @Nullable [] bytes) {
        page.bytes = bytes;
        if (!page.changed) {
            page.changed = true;
            changed.add(page);
        }
    }

    /** @param isNew whether what the store has does not matter */
    private Page page(Bytes key, boolean isNew) {
        Page page = recent.get(key);
        if (page == null) {
            page = new Page(key, isNew ? null : heads.get(key));
            if (recent.size() >= MOST_PAGES) {
                forgetOne();
            }
            recent.put(key, page);
        }
        return page;
    }

    private void forgetOne() {
        Iterator<Page> oldest = recent.values().iterator();
        if (oldest.next().changed) {
            writePages();
        }
        oldest.remove();
    }

    /** @param to exclusive */
    KeyValueIterator<Bytes, byte[]> range(Bytes from, Bytes to) {
        writePages();
        return heads.range(from, to);
    }

    void put(LaneState lane) {
        lanes.put(lane.key(), lane);
    }

    void delete(LaneKey lane) {
        lanes.put(lane, null);
    }

    /** After this all is in the store. */
    void flush() {
        writePages();
        List<KeyValue<Bytes, byte[]>> entries = new ArrayList<>(lanes.size());
        lanes.forEach((lane, state) ->
                entries.add(KeyValue.pair(Keys.lane(lane), state == null ? null : HeadForm.bytes(state))));
        lanes.clear();
        if (!entries.isEmpty()) {
            heads.putAll(entries);
        }
    }

    private void writePages() {
        if (changed.isEmpty()) {
            return;
        }
        List<KeyValue<Bytes, byte[]>> entries = new ArrayList<>(changed.size());
        for (Page page : changed) {
            page.changed = false;
            entries.add(KeyValue.pair(page.key, page.bytes));
        }
        changed.clear();
        heads.putAll(entries);
    }
}
