package dev.weir.throttler.topology;

import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/**
 * What is written to the heads' store. A step of a tick changes the same pages and lanes again and again: they are written once,
 * when it ends. Nobody else writes to the store, so what was written lately need not be looked for in it. Not thread-safe.
 */
final class HeadWrites {
    /** The ends of so many lanes and permit logs, less than a kilobyte each. */
    private static final int RECENT_PAGES = 512;

    private final KeyValueStore<Bytes, byte[]> heads;
    private final Map<Bytes, byte[]> recent = new LinkedHashMap<>(RECENT_PAGES, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Bytes, byte[]> eldest) {
            return size() > RECENT_PAGES;
        }
    };
    /** Not in the store yet, null for what is to go from it; no more than one record or one step of a tick changes. */
    private final Map<Bytes, byte @Nullable []> unwritten = new LinkedHashMap<>();

    /** The same, of lanes; null for those that are no more. */
    private final Map<LaneKey, @Nullable LaneState> unwrittenLanes = new LinkedHashMap<>();

    HeadWrites(KeyValueStore<Bytes, byte[]> heads) {
        this.heads = heads;
    }

    byte @Nullable [] get(Bytes key) {
        byte[] page = unwritten.get(key);
        if (page != null || unwritten.containsKey(key)) {
            return page;
        }
        page = recent.get(key);
        if (page == null) {
            page = heads.get(key);
            if (page != null) {
                recent.put(key, page);
            }
        }
        return page;
    }

    void put(Bytes key, byte @Nullable [] page) {
        unwritten.put(key, page);
    }

    void put(LaneState lane) {
        unwrittenLanes.put(lane.key(), lane);
    }

    void delete(LaneKey lane) {
        unwrittenLanes.put(lane, null);
    }

    /** After this all is in the store: before anything else is read from it, and before a commit. */
    void flush() {
        unwritten.forEach((key, page) -> {
            // Not delete(), which reads what was there first.
            heads.put(key, page);
            if (page == null) {
                recent.remove(key);
            } else {
                recent.put(key, page);
            }
        });
        unwritten.clear();
        unwrittenLanes.forEach(
                (lane, state) -> heads.put(Keys.lane(lane), state == null ? null : HeadForm.bytes(state)));
        unwrittenLanes.clear();
    }
}
