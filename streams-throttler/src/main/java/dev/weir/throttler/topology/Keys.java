package dev.weir.throttler.topology;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.upstream.Timer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.kafka.common.utils.Bytes;

/**
 * The keys in the throttle's two stores. A first byte says what it is; numbers are big-endian with the sign bit flipped, so
 * that the order of the bytes is the order of the numbers; names end with a NUL, which no name contains.
 */
final class Keys {
    static final byte JOB = 'J';
    static final byte REQUEST = 'R';
    static final byte LANE_PAGE = 'E';
    static final byte PERMIT_PAGE = 'P';
    static final byte DISPATCHED_PAGE = 'F';
    static final byte TIMER = 'T';
    static final byte TIMER_PAGE = 'D';
    static final byte UPSTREAM = 'U';
    static final byte LANE = 'L';
    static final byte MARK = 'M';

    private static final byte NUL = 0;

    private Keys() {}

    static Bytes job(String id) {
        return named(JOB, id);
    }

    static Bytes request(String id) {
        return named(REQUEST, id);
    }

    static Bytes upstream(String name) {
        return named(UPSTREAM, name);
    }

    static Bytes mark(String name) {
        return named(MARK, name);
    }

    static Bytes lane(LaneKey lane) {
        return Bytes.wrap(lane(LANE, lane, 0).array());
    }

    static Bytes lanePage(LaneKey lane, long page) {
        return Bytes.wrap(
                lane(LANE_PAGE, lane, Long.BYTES).putLong(ordered(page)).array());
    }

    static Bytes permitPage(String upstream, long page) {
        return page(PERMIT_PAGE, upstream, page);
    }

    static Bytes dispatchedPage(String upstream, long page) {
        return page(DISPATCHED_PAGE, upstream, page);
    }

    private static Bytes page(byte is, String upstream, long page) {
        byte[] name = utf8(upstream);
        return Bytes.wrap(ByteBuffer.allocate(2 + name.length + Long.BYTES)
                .put(is)
                .put(name)
                .put(NUL)
                .putLong(ordered(page))
                .array());
    }

    static Bytes timer(Timer timer) {
        return timer(TIMER, timer);
    }

    /** @param first the earliest on the page */
    static Bytes timerPage(Timer first) {
        return timer(TIMER_PAGE, first);
    }

    private static Bytes timer(byte is, Timer timer) {
        byte[] upstream = utf8(timer.upstream());
        byte[] job = utf8(timer.jobId());
        return Bytes.wrap(ByteBuffer.allocate(1 + Long.BYTES + 1 + upstream.length + 1 + job.length)
                .put(is)
                .putLong(ordered(EpochNanos.of(timer.due())))
                .put(timer.kind().code())
                .put(upstream)
                .put(NUL)
                .put(job)
                .array());
    }

    /** Before every timer, or every page of timers, that is due at this time or later. */
    static Bytes timersFrom(byte is, Instant due) {
        return Bytes.wrap(ByteBuffer.allocate(1 + Long.BYTES)
                .put(is)
                .putLong(ordered(EpochNanos.of(due)))
                .array());
    }

    /** The timer that a key tells, or the first of a page. */
    static Timer timer(Bytes key) {
        ByteBuffer in = ByteBuffer.wrap(key.get());
        in.get();
        Instant due = EpochNanos.toInstant(ordered(in.getLong()));
        Timer.Kind kind = Timer.Kind.of(in.get());
        int nul = in.position();
        while (in.get(nul) != NUL) {
            nul++;
        }
        String upstream = new String(key.get(), in.position(), nul - in.position(), StandardCharsets.UTF_8);
        String job = new String(key.get(), nul + 1, key.get().length - nul - 1, StandardCharsets.UTF_8);
        return new Timer(due, kind, upstream, job);
    }

    /** The first and, exclusive, the last key of a kind. */
    static Bytes start(byte kind) {
        return Bytes.wrap(new byte[] {kind});
    }

    static Bytes end(byte kind) {
        return Bytes.wrap(new byte[] {(byte) (kind + 1)});
    }

    private static ByteBuffer lane(byte kind, LaneKey lane, int more) {
        byte[] upstream = utf8(lane.upstream());
        byte[] tenant = utf8(lane.tenant());
        return ByteBuffer.allocate(1 + upstream.length + 1 + tenant.length + 2 + more)
                .put(kind)
                .put(upstream)
                .put(NUL)
                .put(tenant)
                .put(NUL)
                .put(code(lane.priority()));
    }

    /** Never changed: it is part of stored keys and values. */
    static byte code(Priority priority) {
        return switch (priority) {
            case HIGH -> 0;
            case NORMAL -> 1;
            case LOW -> 2;
        };
    }

    static Priority priority(byte code) {
        for (Priority priority : Priority.values()) {
            if (code(priority) == code) {
                return priority;
            }
        }
        throw new IllegalStateException("the store has the priority " + code + ", which is none");
    }

    private static Bytes named(byte kind, String name) {
        byte[] bytes = utf8(name);
        return Bytes.wrap(
                ByteBuffer.allocate(1 + bytes.length).put(kind).put(bytes).array());
    }

    /** Its own inverse. */
    private static long ordered(long number) {
        return number ^ Long.MIN_VALUE;
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
