package dev.weir.ingress;

import io.javalin.http.Context;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Takes from a request what the ingress needs of it, within bounds. Thread-safe. */
final class RequestReader {
    static final List<String> JSON = List.of("application/json");
    static final int MAX_KEY_CHARS = 255;
    /** Of all bodies that are being read; what was read counts until it is parsed. */
    static final int MAX_BYTES_BEING_READ = 32 * 1024 * 1024;

    private static final String CHARSET_UTF_8 = ";charset=utf-8";
    private static final Pattern TRACEPARENT = Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");

    private final int maxBodyBytes;
    private final Semaphore memory;
    private final InstantSource clock;

    /** @param memory {@link #MAX_BYTES_BEING_READ}, of all readers together */
    RequestReader(int maxBodyBytes, Semaphore memory, InstantSource clock) {
        this.maxBodyBytes = maxBodyBytes;
        this.memory = memory;
        this.clock = clock;
    }

    /** Why a submission is refused by its headers alone; null when it is not. */
    @Nullable
    Reply refusal(Context ctx, List<String> expected) {
        Reply wrongType = mediaType(ctx, expected);
        if (wrongType != null) {
            return wrongType;
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

    /** Why a request is refused by what it says of its body; null when it is not. A body that says nothing is JSON. */
    static @Nullable Reply mediaType(Context ctx, List<String> expected) {
        String bad = mediaTypeProblem(ctx, expected);
        return bad == null ? null : Reply.problem(415, "Unsupported Media Type", bad);
    }

    /** The idempotency key without its quotes; null when there is none. */
    @Nullable
    String key(Context ctx) {
        String key = ctx.header("Idempotency-Key");
        return key == null ? null : unquoted(key.strip());
    }

    /** The trace context of a request, W3C; null when there is none, or what is there is none. */
    static @Nullable String traceparent(Context ctx) {
        String traceparent = ctx.header("traceparent");
        return traceparent != null && TRACEPARENT.matcher(traceparent).matches() ? traceparent : null;
    }

    /**
     * Reads the body and gives it away; a body that is refused is answered without that. The request must be asynchronous.
     *
     * @param use must not keep the bytes beyond its return
     */
    CompletableFuture<Reply> body(Context ctx, Function<byte[], CompletableFuture<Reply>> use) {
        BodyReading reading;
        try {
            reading = new BodyReading(
                    ctx.req().getInputStream(), ctx.req().getContentLengthLong(), maxBodyBytes, clock, memory);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
        return reading.start().thenCompose(refusal -> {
            try {
                return refusal == null ? use.apply(reading.bytes()) : CompletableFuture.completedFuture(refusal);
            } finally {
                reading.release();
            }
        });
    }

    private static @Nullable String mediaTypeProblem(Context ctx, List<String> expected) {
        String type = ctx.header("Content-Type");
        String encoding = ctx.header("Content-Encoding");
        if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
            return "expected a body without Content-Encoding, but it is " + encoding;
        }
        if (type == null) {
            return null;
        }
        String lower = type.toLowerCase(Locale.ROOT).replace(" ", "").replace("\"", "");
        String essence =
                lower.endsWith(CHARSET_UTF_8) ? lower.substring(0, lower.length() - CHARSET_UTF_8.length()) : lower;
        return expected.contains(essence)
                ? null
                : "expected Content-Type " + String.join(" or ", expected) + ", in UTF-8, but it is " + type;
    }

    private static String unquoted(String key) {
        boolean quoted = key.length() >= 2 && key.startsWith("\"") && key.endsWith("\"");
        return quoted ? key.substring(1, key.length() - 1) : key;
    }
}
