package dev.weir.throttler.topology;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * Tells of most new jobs, without a look into the store, that their ids are new. UUIDs of version 7 (RFC 9562) sort by the time
 * at which they were given: one that is above all that came can be none of them. Ids come from several ingresses and a little
 * out of order, so the newest are remembered one by one; whoever is neither above the rest nor of version 7 is looked for. Not
 * thread-safe.
 */
final class NewestIds {
    /** Remembered one by one: so far out of order may ids come before they are looked for. */
    static final int MOST = 2048;
    /** The mark in the store is moved so far ahead, so that it is written seldom. */
    static final Duration MARK_AHEAD = Duration.ofSeconds(1);

    private static final Bytes MARK = Keys.mark("newest-id");
    private static final int TIME_ORDERED = 7;
    /** Where the milliseconds stand in such an id's first half. */
    private static final int TIME_SHIFT = 16;

    private static final long AHEAD = MARK_AHEAD.toMillis() << TIME_SHIFT;

    private final HeadWrites heads;
    private final Deque<UUID> inOrder = new ArrayDeque<>(MOST);
    private final Set<UUID> newest = new HashSet<>(2 * MOST);
    /** Of the ids that came, those above this one are all remembered. */
    private @Nullable UUID floor;
    /** As the store has it: the first half of no id that came is above it. */
    private long mark;

    NewestIds(HeadWrites heads) {
        this.heads = heads;
        byte[] kept = heads.get(MARK);
        mark = kept == null ? Long.MIN_VALUE : ByteBuffer.wrap(kept).getLong();
        floor = kept == null ? null : new UUID(mark, Long.MAX_VALUE);
    }

    /** Whether no job came under this id before, for certain; one does now. */
    boolean isNew(String id) {
        UUID uuid = FormWriter.uuid(id);
        if (uuid == null || uuid.version() != TIME_ORDERED || (floor != null && uuid.compareTo(floor) <= 0)) {
            return false;
        }
        if (!newest.add(uuid)) {
            return false;
        }
        inOrder.add(uuid);
        if (inOrder.size() > MOST) {
            UUID oldest = inOrder.remove();
            newest.remove(oldest);
            floor = floor == null || floor.compareTo(oldest) < 0 ? oldest : floor;
        }
        if (uuid.getMostSignificantBits() > mark) {
            moveMark(uuid.getMostSignificantBits());
        }
        return true;
    }

    private void moveMark(long to) {
        mark = to > Long.MAX_VALUE - AHEAD ? Long.MAX_VALUE : to + AHEAD;
        heads.put(MARK, ByteBuffer.allocate(Long.BYTES).putLong(mark).array());
    }
}
