package dev.weir.throttler.topology;

import dev.weir.contracts.wire.Priority;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Writes a stored value: a version byte, then its fields in order. Whole numbers take as many bytes as they need (LEB128, the
 * sign in the lowest bit where there is one); ids that are UUIDs take 17. Not thread-safe.
 */
final class FormWriter {
    static final byte ID_UUID = 1;
    static final byte ID_TEXT = 2;
    static final int UUID_CHARS = 36;

    /** Room that is kept from one value for the next. */
    static final int MOST_KEPT_BYTES = 64 * 1024;

    private static final int FIRST_BYTES = 256;
    private static final int MOST_NUMBER_BYTES = 10;

    private ByteBuffer out = ByteBuffer.allocate(FIRST_BYTES);

    /** One value after the other; {@link #begin} comes first. */
    FormWriter() {}

    FormWriter(byte version) {
        octet(version);
    }

    /** Begins a value; what was written before is gone. */
    FormWriter begin(byte version) {
        if (out.capacity() > MOST_KEPT_BYTES) {
            out = ByteBuffer.allocate(FIRST_BYTES);
        }
        out.clear();
        return octet(version);
    }

    byte[] bytes() {
        return Arrays.copyOf(out.array(), length());
    }

    /** Bytes that are written. */
    int length() {
        return out.position();
    }

    FormWriter octet(int value) {
        room(1).put((byte) value);
        return this;
    }

    /** Not negative. */
    FormWriter number(long value) {
        ByteBuffer to = room(MOST_NUMBER_BYTES);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            to.put((byte) ((rest & 0x7F) | 0x80));
            rest >>>= 7;
        }
        to.put((byte) rest);
        return this;
    }

    FormWriter signed(long value) {
        return number((value << 1) ^ (value >> 63));
    }

    FormWriter fraction(double value) {
        room(Double.BYTES).putDouble(value);
        return this;
    }

    /** In eight bytes, big-endian. */
    FormWriter fixedLong(long value) {
        room(Long.BYTES).putLong(value);
        return this;
    }

    /** In four bytes, big-endian. */
    FormWriter fixedInt(int value) {
        room(Integer.BYTES).putInt(value);
        return this;
    }

    FormWriter text(String value) {
        return block(value.getBytes(StandardCharsets.UTF_8));
    }

    FormWriter block(byte[] value) {
        return block(value, 0, value.length);
    }

    FormWriter block(byte[] value, int from, int to) {
        number(to - from);
        room(to - from).put(value, from, to - from);
        return this;
    }

    /** What another one has written. */
    FormWriter block(FormWriter value) {
        return block(value.out.array(), 0, value.length());
    }

    /** A UUID in its usual form takes fewer bytes; any other text is kept as it is. */
    FormWriter id(String value) {
        UUID uuid = uuid(value);
        if (uuid == null) {
            return octet(ID_TEXT).text(value);
        }
        return octet(ID_UUID).fixedLong(uuid.getMostSignificantBits()).fixedLong(uuid.getLeastSignificantBits());
    }

    /** To the nanosecond, whatever the date. */
    FormWriter instant(Instant value) {
        return signed(value.getEpochSecond()).number(value.getNano());
    }

    FormWriter priority(Priority value) {
        return octet(Keys.code(value));
    }

    FormWriter maybe(@Nullable String value) {
        return value == null ? octet(0) : octet(1).text(value);
    }

    FormWriter maybe(@Nullable Instant value) {
        return value == null ? octet(0) : octet(1).instant(value);
    }

    FormWriter maybe(@Nullable Long value) {
        return value == null ? octet(0) : octet(1).signed(value);
    }

    /** Null for anything that would not come back as the same text. */
    static @Nullable UUID uuid(String value) {
        if (value.length() != UUID_CHARS
                || value.charAt(8) != '-'
                || value.charAt(13) != '-'
                || value.charAt(18) != '-'
                || value.charAt(23) != '-') {
            return null;
        }
        long first = hex(value, 0, 8);
        long second = hex(value, 9, 13);
        long third = hex(value, 14, 18);
        long fourth = hex(value, 19, 23);
        long last = hex(value, 24, UUID_CHARS);
        return (first | second | third | fourth | last) < 0
                ? null
                : new UUID(first << 32 | second << 16 | third, fourth << 48 | last);
    }

    /** At most 15 digits in lower case; negative when there is anything else among them. */
    private static long hex(String text, int from, int to) {
        long value = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (!HexFormat.isHexDigit(c) || Character.isUpperCase(c)) {
                return -1;
            }
            value = value << 4 | HexFormat.fromHexDigit(c);
        }
        return value;
    }

    /** What is written to next, with room for so many bytes. */
    private ByteBuffer room(int more) {
        if (out.remaining() < more) {
            out = ByteBuffer.allocate(Math.max(out.capacity() * 2, out.position() + more))
                    .put(out.flip());
        }
        return out;
    }
}
