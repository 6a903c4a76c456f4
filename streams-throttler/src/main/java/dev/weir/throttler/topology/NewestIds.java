package dev.weir.throttler.topology;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
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
    /** Remembered one by one: half as far out of order may ids come before they are looked for. */
    static final int MOST = 4096;
    /** Of these, looked through first. */
    private static final int LATELY = 256;
    /** The mark in the store is moved so far ahead, so that it is written seldom. */
    static final Duration MARK_AHEAD = Duration.ofSeconds(1);

    private static final Bytes MARK = Keys.mark("newest-id");
    private static final int TIME_ORDERED = 7;
    /** Where the milliseconds stand in such an id's first half. */
    private static final int TIME_SHIFT = 16;

    private static final long AHEAD = MARK_AHEAD.toMillis() << TIME_SHIFT;

    private final HeadWrites heads;
    /** In their order, so many; when there is no more room, the lower half goes. */
    private final UUID[] newest = new UUID[MOST];

    private int count;
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
        int found = Arrays.binarySearch(newest, searchFrom(uuid), count, uuid);
        if (found >= 0) {
            return false;
        }
        remember(uuid, -found - 1);
        if (uuid.getMostSignificantBits() > mark) {
            moveMark(uuid.getMostSignificantBits());
        }
        return true;
    }

    /** Most ids belong among the last few, which are still in the processor's cache. */
    private int searchFrom(UUID uuid) {
        int lately = count - LATELY;
        return lately > 0 && uuid.compareTo(newest[lately]) > 0 ? lately : 0;
    }

    private void remember(UUID uuid, int place) {
        System.arraycopy(newest, place, newest, place + 1, count - place);
        newest[place] = uuid;
        count++;
        if (count == MOST) {
            int lower = MOST / 2;
            floor = newest[lower - 1];
            count -= lower;
            System.arraycopy(newest, lower, newest, 0, count);
        }
    }

    private void moveMark(long to) {
        mark = to > Long.MAX_VALUE - AHEAD ? Long.MAX_VALUE : to + AHEAD;
        heads.put(MARK, ByteBuffer.allocate(Long.BYTES).putLong(mark).array());
    }
}
