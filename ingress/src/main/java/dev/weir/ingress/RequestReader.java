package dev.weir.ingress;

import dev.weir.contracts.http.HttpServer;
import io.javalin.http.Context;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Takes from a request what the ingress needs of it, within bounds. Thread-safe. */
final class RequestReader {
    static final List<String> JSON = List.of("application/json");
    static final int MAX_KEY_CHARS = 255;
    /**
     * So much of a body over the limit is read and thrown away, so that its sender reads the answer; a connection closed on
     * unread bytes is reset instead.
     */
    static final int MAX_DRAINED_BYTES = 16 * 1024 * 1024;

    /**
     * A body that comes more slowly is given up, judged over all of it that came so far, at each piece that comes. Jetty's
     * own setting for it is deprecated, and would go with a later version.
     */
    static final int MIN_BODY_BYTES_PER_SECOND = 64;
    /** Before that the rate is not judged: one lost packet of a small body is no slow sender. */
    static final Duration RATE_GRACE = Duration.ofSeconds(3);
    /** From the first read to the end of a body; a slow sender holds a thread no longer than this and one stall. */
    static final Duration BODY_TIMEOUT = Duration.ofSeconds(30);
    /** The same for what is thrown away. */
    static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    private static final int READ_BUFFER_BYTES = 16 * 1024;
    private static final int MAX_CAUSES_LOOKED_AT = 8;
    private static final Logger LOG = LoggerFactory.getLogger(RequestReader.class);

    private final int maxBodyBytes;
    private final InstantSource clock;

    RequestReader(int maxBodyBytes, InstantSource clock) {
        this.maxBodyBytes = maxBodyBytes;
        this.clock = clock;
    }

    /** Why a submission is refused by its headers alone; null when it is not. */
    @Nullable
    Reply refusal(Context ctx) {
        Reply wrongType = mediaType(ctx, JSON);
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

    /** Reads the body into {@code into}; answers why it is refused, null when it is not. */
    @Nullable
    Reply body(Context ctx, ByteArrayOutputStream into) {
        Instant start = clock.instant();
        try {
            InputStream in = ctx.bodyInputStream();
            if (ctx.req().getContentLengthLong() > maxBodyBytes) {
                return tooLarge(in);
            }
            byte[] buffer = new byte[READ_BUFFER_BYTES];
            int read;
            while ((read = in.read(buffer)) >= 0) {
                if (into.size() + read > maxBodyBytes) {
                    return tooLarge(in);
                }
                into.write(buffer, 0, read);
                Duration taken = Duration.between(start, clock.instant());
                long least = MIN_BODY_BYTES_PER_SECOND * taken.minus(RATE_GRACE).toSeconds();
                if (into.size() < least || taken.compareTo(BODY_TIMEOUT) > 0) {
                    return tooSlow();
                }
            }
            return null;
        } catch (IOException | HttpException.RuntimeException e) {
            LOG.debug("a body could not be read", e);
            return isTimeout(e) ? tooSlow() : broken();
        }
    }

    private Reply tooLarge(InputStream rest) {
        try {
            drain(rest);
        } catch (IOException | HttpException.RuntimeException e) {
            LOG.debug("the rest of a body over the limit did not come; it is refused all the same", e);
        }
        return Reply.problem(413, "Content Too Large", "the body is larger than " + maxBodyBytes + " bytes");
    }

    private static Reply tooSlow() {
        return Reply.problem(
                408,
                "Request Timeout",
                "the body did not come in time; expected all of it within " + BODY_TIMEOUT.toSeconds()
                        + " s, with no pause of more than " + HttpServer.STALL_TIMEOUT.toSeconds() + " s, and "
                        + MIN_BODY_BYTES_PER_SECOND + " bytes a second or more. Nothing was taken");
    }

    private static Reply broken() {
        return Reply.problem(
                400,
                "Bad Request",
                "the body ended before its announced end, or its chunks are malformed. Nothing was taken");
    }

    private static boolean isTimeout(Throwable failure) {
        Throwable cause = failure;
        for (int i = 0; cause != null && i < MAX_CAUSES_LOOKED_AT; i++) {
            if (cause instanceof TimeoutException
                    || (cause instanceof HttpException http && http.getCode() == HttpStatus.REQUEST_TIMEOUT_408)) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
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
        boolean right = expected.stream().anyMatch(t -> lower.equals(t) || lower.equals(t + ";charset=utf-8"));
        return right
                ? null
                : "expected Content-Type " + String.join(" or ", expected) + ", in UTF-8, but it is " + type;
    }

    private static String unquoted(String key) {
        boolean quoted = key.length() >= 2 && key.startsWith("\"") && key.endsWith("\"");
        return quoted ? key.substring(1, key.length() - 1) : key;
    }

    private void drain(InputStream in) throws IOException {
        Instant end = clock.instant().plus(DRAIN_TIMEOUT);
        byte[] buffer = new byte[READ_BUFFER_BYTES];
        long left = MAX_DRAINED_BYTES;
        int read;
        while (left > 0 && clock.instant().isBefore(end) && (read = in.read(buffer)) >= 0) {
            left -= read;
        }
    }
}
