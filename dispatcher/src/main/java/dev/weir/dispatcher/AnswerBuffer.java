package dev.weir.dispatcher;

import dev.weir.contracts.wire.Answer;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.eclipse.jetty.client.Response;
import org.eclipse.jetty.http.HttpField;

/** Gathers one answer up to the cap. Not thread-safe: the client delivers an answer's parts one after the other. */
final class AnswerBuffer {
    /** Header fields kept of an answer, and characters in all their names and values. */
    static final int MAX_HEADERS = 100;

    static final int MAX_HEADER_CHARS = 16 * 1024;
    private static final int FIRST_BYTES = 4096;

    private final int maxBodyBytes;
    private byte[] bytes = new byte[0];
    private int length;
    private boolean cut;

    /** @param maxBodyBytes what is kept of the answer's body, decompressed; the rest is not read */
    AnswerBuffer(int maxBodyBytes) {
        this.maxBodyBytes = maxBodyBytes;
    }

    /** Takes a part; false when the cap is reached and nothing more is wanted. */
    boolean take(ByteBuffer part) {
        int room = maxBodyBytes - length;
        int taken = Math.min(room, part.remaining());
        if (taken < part.remaining()) {
            cut = true;
        }
        if (length + taken > bytes.length) {
            int grown = Math.max(Math.max(length + taken, bytes.length * 2), FIRST_BYTES);
            bytes = Arrays.copyOf(bytes, Math.min(grown, maxBodyBytes));
        }
        part.get(bytes, length, taken);
        length += taken;
        return !cut;
    }

    boolean isCut() {
        return cut;
    }

    /** @param redaction what must not be kept of it */
    Answer answer(Response response, Redaction redaction) {
        Map<String, String> headers = new LinkedHashMap<>();
        int chars = 0;
        for (HttpField field : response.getHeaders()) {
            String name = field.getName().toLowerCase(Locale.ROOT);
            String value = field.getValue() == null ? "" : field.getValue();
            chars += name.length() + value.length();
            if (chars > MAX_HEADER_CHARS || (headers.size() >= MAX_HEADERS && !headers.containsKey(name))) {
                break;
            }
            headers.merge(name, redaction.text(value), (first, second) -> first + ", " + second);
        }
        byte[] clean = redaction.bytes(length == bytes.length ? bytes : Arrays.copyOf(bytes, length), cut);
        AnswerBody body = AnswerBody.of(clean, clean.length, headers.get("content-type"), cut);
        return new Answer(response.getStatus(), headers, body.text(), body.base64(), cut);
    }
}
