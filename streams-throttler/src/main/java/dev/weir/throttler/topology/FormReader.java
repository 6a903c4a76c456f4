package dev.weir.throttler.topology;

import dev.weir.contracts.wire.Priority;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Reads what a {@link FormWriter} wrote, field by field in the same order. Not thread-safe. */
final class FormReader {
    private final ByteBuffer in;

    /**
     * @param what the value is, for a person
     * @throws IllegalStateException when it was written in a form that is not known here
     */
    FormReader(byte[] bytes, byte version, String what) {
        in = ByteBuffer.wrap(bytes);
        byte found = in.get();
        if (found != version) {
            throw new IllegalStateException(
                    what + " of version " + found + " stands in the store; this Weir reads version " + version
                            + " only: start the one that wrote it, or a newer one");
        }
    }

    boolean more() {
        return in.hasRemaining();
    }

    int octet() {
        return in.get();
    }

    long number() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            byte next = in.get();
            value |= (next & 0x7FL) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IllegalStateException("a number in the store has no end");
    }

    int small() {
        return Math.toIntExact(number());
    }

    long signed() {
        long value = number();
        return (value >>> 1) ^ -(value & 1);
    }

    double fraction() {
        return in.getDouble();
    }

    /** Eight bytes, big-endian. */
    long fixedLong() {
        return in.getLong();
    }

    /** Four bytes, big-endian. */
    int fixedInt() {
        return in.getInt();
    }

    String text() {
        int length = small();
        String value = new String(in.array(), in.position(), length, StandardCharsets.UTF_8);
        in.position(in.position() + length);
        return value;
    }

    byte[] block() {
        byte[] value = new byte[small()];
        in.get(value);
        return value;
    }

    /** A block where it stands: its bytes must not be changed. */
    ByteBuffer slice() {
        int size = small();
        ByteBuffer value = in.slice(in.position(), size);
        in.position(in.position() + size);
        return value;
    }

    String id() {
        return octet() == FormWriter.ID_UUID ? new UUID(in.getLong(), in.getLong()).toString() : text();
    }

    Instant instant() {
        return Instant.ofEpochSecond(signed(), number());
    }

    Priority priority() {
        return Keys.priority((byte) octet());
    }

    @Nullable
    String maybeText() {
        return octet() == 0 ? null : text();
    }

    @Nullable
    Instant maybeInstant() {
        return octet() == 0 ? null : instant();
    }

    @Nullable
    Long maybeSigned() {
        return octet() == 0 ? null : (Long) signed();
    }
}
