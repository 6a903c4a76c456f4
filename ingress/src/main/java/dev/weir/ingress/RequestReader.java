package dev.weir.ingress;

import io.javalin.http.Context;
import java.io.IOException;
import java.io.InputStream;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Takes from a request what the ingress needs of it, within bounds. Thread-safe. */
final class RequestReader {
    static final int MAX_KEY_CHARS = 255;
    /**
     * So much of a body over the limit is read and thrown away, so that its sender reads the answer; a connection closed on
     * unread bytes is reset instead.
     */
    static final int MAX_DRAINED_BYTES = 16 * 1024 * 1024;

    private static final int DRAIN_BUFFER_BYTES = 16 * 1024;

    private final int maxBodyBytes;

    RequestReader(int maxBodyBytes) {
        this.maxBodyBytes = maxBodyBytes;
    }

    /** Why a request is refused by its headers alone; null when it is not. */
    @Nullable
    Reply refusal(Context ctx) {
        String bad = mediaTypeProblem(ctx);
        if (bad != null) {
            return Reply.problem(415, "Unsupported Media Type", bad);
        }
        List<String> keys = Collections.list(ctx.req().getHeaders("Idempotency-Key"));
        if (keys.size() > 1) {
            return Reply.problem(400, "Bad Request", "expected one Idempotency-Key, but there are " + keys.size());
        }
        String key = key(ctx);
        return key == null || (!key.isEmpty() && key.length() <= MAX_KEY_CHARS)
                ? null
                : Reply.problem(
                        400,
                        "Bad Request",
                        "expected an Idempotency-Key of 1 to " + MAX_KEY_CHARS + " characters, but it has "
                                + key.length());
    }

    /** The idempotency key without its quotes; null when there is none. */
    @Nullable
    String key(Context ctx) {
        String key = ctx.header("Idempotency-Key");
        return key == null ? null : unquoted(key.strip());
    }

    /** The body; null when it is over the limit. */
    byte @Nullable [] body(Context ctx) throws IOException {
        InputStream in = ctx.bodyInputStream();
        // One byte more than allowed tells a body at the limit from one over it; a chunked one announces nothing.
        byte[] body = ctx.req().getContentLengthLong() > maxBodyBytes ? null : in.readNBytes(maxBodyBytes + 1);
        if (body == null || body.length > maxBodyBytes) {
            drain(in);
            return null;
        }
        return body;
    }

    Reply tooLarge() {
        return Reply.problem(413, "Content Too Large", "the body is larger than " + maxBodyBytes + " bytes");
    }

    private static @Nullable String mediaTypeProblem(Context ctx) {
        String type = ctx.header("Content-Type");
        String encoding = ctx.header("Content-Encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            return "expected a body without Content-Encoding, but it is " + encoding;
        }
        if (type == null) {
            return null;
        }
        String lower = type.toLowerCase(Locale.ROOT).replace(" ", "").replace("\"", "");
        boolean json = lower.equals("application/json") || lower.equals("application/json;charset=utf-8");
        return json ? null : "expected Content-Type application/json, in UTF-8, but it is " + type;
    }

    private static String unquoted(String key) {
        boolean quoted = key.length() >= 2 && key.startsWith("\"") && key.endsWith("\"");
        return quoted ? key.substring(1, key.length() - 1) : key;
    }

    private static void drain(InputStream in) throws IOException {
        byte[] buffer = new byte[DRAIN_BUFFER_BYTES];
        long left = MAX_DRAINED_BYTES;
        int read;
        while (left > 0 && (read = in.read(buffer)) >= 0) {
            left -= read;
        }
    }
}
