package dev.weir.dispatcher;

import dev.weir.contracts.config.Secret;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Takes an upstream's secret out of what it answered: some repeat the key that they refuse, or the whole request, and
 * answers are kept. Immutable.
 */
final class Redaction {
    static final Redaction NONE = new Redaction(List.of());

    private static final byte[] INSTEAD = "***".getBytes(StandardCharsets.US_ASCII);
    /** Fewer of a secret's first bytes at the end of an answer that was cut tell nothing. */
    private static final int SHORTEST_BEGINNING = 4;

    private final List<byte[]> traces;

    private Redaction(List<String> traces) {
        this.traces = traces.stream()
                // The longest first: another may be a part of it.
                .sorted(Comparator.comparingInt(String::length).reversed())
                .map(trace -> trace.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    /** Of what the secret is now, and was before its last change. */
    static Redaction of(@Nullable Secret secret) {
        return secret == null ? NONE : new Redaction(secret.traces());
    }

    String text(String text) {
        if (traces.isEmpty()) {
            return text;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        byte[] clean = bytes(bytes, false);
        return Arrays.equals(clean, bytes) ? text : new String(clean, StandardCharsets.UTF_8);
    }

    /**
     * The same bytes when there is nothing in them.
     *
     * @param cut they end somewhere, perhaps in the middle of the secret
     */
    byte[] bytes(byte[] bytes, boolean cut) {
        byte[] clean = bytes;
        for (byte[] trace : traces) {
            clean = without(clean, trace);
            if (cut) {
                clean = withoutBeginning(clean, trace);
            }
        }
        return clean;
    }

    private static byte[] without(byte[] bytes, byte[] trace) {
        int found = find(bytes, trace, 0);
        if (found < 0) {
            return bytes;
        }
        ByteArrayOutputStream clean = new ByteArrayOutputStream(bytes.length);
        int from = 0;
        while (found >= 0) {
            clean.write(bytes, from, found - from);
            clean.writeBytes(INSTEAD);
            from = found + trace.length;
            found = find(bytes, trace, from);
        }
        clean.write(bytes, from, bytes.length - from);
        return clean.toByteArray();
    }

    private static byte[] withoutBeginning(byte[] bytes, byte[] trace) {
        for (int length = Math.min(trace.length - 1, bytes.length); length >= SHORTEST_BEGINNING; length--) {
            if (Arrays.equals(bytes, bytes.length - length, bytes.length, trace, 0, length)) {
                return Arrays.copyOf(bytes, bytes.length - length);
            }
        }
        return bytes;
    }

    private static int find(byte[] bytes, byte[] trace, int from) {
        for (int at = from; at <= bytes.length - trace.length; at++) {
            if (bytes[at] == trace[0] && Arrays.equals(bytes, at, at + trace.length, trace, 0, trace.length)) {
                return at;
            }
        }
        return -1;
    }
}
