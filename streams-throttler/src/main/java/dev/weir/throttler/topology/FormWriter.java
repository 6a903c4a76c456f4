package dev.weir.throttler.topology;

import dev.weir.contracts.wire.Priority;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
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

    private byte[] bytes = new byte[FIRST_BYTES];
    private int length;

    /** One value after the other; {@link #begin} comes first. */
    FormWriter() {}

    FormWriter(byte version) {
        octet(version);
    }

    /** Begins a value; what was written before is gone. */
    FormWriter begin(byte version) {
        if (bytes.length > MOST_KEPT_BYTES) {
            bytes = new byte[FIRST_BYTES];
        }
        length = 0;
        return octet(version);
    }

    byte[] bytes() {
        return Arrays.copyOf(bytes, length);
    }

    /** Bytes that are written. */
    int length() {
        return length;
    }

    FormWriter octet(int value) {
        room(1);
        bytes[length++] = (byte) value;
        return this;
    }

    /** Not negative. */
    FormWriter number(long value) {
        room(10);
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            bytes[length++] = (byte) ((rest & 0x7F) | 0x80);
            rest >>>= 7;
        }
        bytes[length++] = (byte) rest;
        return this;
    }

    FormWriter signed(long value) {
        return number((value << 1) ^ (value >> 63));
    }

    FormWriter fraction(double value) {
        return fixed(Double.doubleToRawLongBits(value), Long.BYTES);
    }

    /** In so many bytes, big-endian. */
    FormWriter fixed(long value, int size) {
        room(size);
        for (int shift = (size - 1) * Byte.SIZE; shift >= 0; shift -= Byte.SIZE) {
            bytes[length++] = (byte) (value >>> shift);
        }
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
        room(to - from);
        System.arraycopy(value, from, bytes, length, to - from);
        length += to - from;
        return this;
    }

    /** A UUID in its usual form takes fewer bytes; any other text is kept as it is. */
    FormWriter id(String value) {
        UUID uuid = uuid(value);
        if (uuid == null) {
            return octet(ID_TEXT).text(value);
        }
        return octet(ID_UUID)
                .fixed(uuid.getMostSignificantBits(), Long.BYTES)
                .fixed(uuid.getLeastSignificantBits(), Long.BYTES);
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
        if (value.length() != UUID_CHARS) {
            return null;
        }
        for (int i = 0; i < UUID_CHARS; i++) {
            char c = value.charAt(i);
            boolean separates = i == 8 || i == 13 || i == 18 || i == 23;
            if (separates ? c != '-' : (c < '0' || c > '9') && (c < 'a' || c > 'f')) {
                return null;
            }
        }
        return UUID.fromString(value);
    }

    private void room(int more) {
        if (length + more > bytes.length) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
        }
    }
}
