package dev.weir.ingress;

import dev.weir.contracts.http.HttpServer;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeoutException;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.http.HttpStatus;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads one body as it comes in, so that a slow sender holds a connection and some bytes, and no thread. The server calls it,
 * one call at a time.
 */
final class BodyReading implements ReadListener {
    /**
     * So much of a body over the limit is read and thrown away, so that its sender reads the answer; a connection closed on
     * unread bytes is reset instead.
     */
    static final long MAX_DRAINED_BYTES = 16L * 1024 * 1024;

    /** A body that comes more slowly is given up, judged over all of it that came so far, at each piece that comes. */
    static final int MIN_BYTES_PER_SECOND = 64;
    /** Before that the rate is not judged: one lost packet of a small body is no slow sender. */
    static final Duration RATE_GRACE = Duration.ofSeconds(3);
    /** From the first read to the end of a body; a slow sender holds its memory no longer than this and one stall. */
    static final Duration BODY_TIMEOUT = Duration.ofSeconds(30);
    /** The same for what is thrown away. */
    static final Duration DRAIN_TIMEOUT = Duration.ofSeconds(5);

    private static final int FIRST_BYTES = 2 * 1024;
    private static final int MAX_CAUSES_LOOKED_AT = 8;
    private static final Logger LOG = LoggerFactory.getLogger(BodyReading.class);

    private final ServletInputStream in;
    private final long announced;
    private final int limit;
    private final InstantSource clock;
    private final Semaphore memory;
    private final Instant start;
    private final CompletableFuture<@Nullable Reply> received = new CompletableFuture<>();
    private byte[] bytes = new byte[0];
    private int size;
    private int reserved;
    private boolean draining;
    private Instant drainUntil = Instant.MAX;
    private long drained;

    /** @param memory bytes that all bodies together may take */
    BodyReading(ServletInputStream in, long announced, int limit, InstantSource clock, Semaphore memory) {
        this.in = in;
        this.announced = announced;
        this.limit = limit;
        this.clock = clock;
        this.memory = memory;
        this.start = clock.instant();
        if (announced > limit) {
            drain();
        } else {
            // One more than was announced, so that its end is seen without another buffer.
            grow((int) Math.min(Math.max(announced + 1, 256), FIRST_BYTES));
        }
    }

    /**
     * Begins to read; the request must be asynchronous by then. Completes with why the body is refused, with null when it is
     * there; never fails.
     */
    CompletableFuture<@Nullable Reply> start() {
        if (!tookWhole()) {
            in.setReadListener(this);
        }
        return received;
    }

    /** Takes a body all of which came with its headers, as small ones do: nothing is waited for, and nobody told of it. */
    private boolean tookWhole() {
        try {
            if (draining || announced < 1 || in.available() < announced) {
                return false;
            }
            int whole = (int) announced;
            if (whole > bytes.length && !grow(whole)) {
                return true;
            }
            while (size < whole) {
                size += Math.max(0, in.read(bytes, size, whole - size));
            }
            received.complete(null);
        } catch (IOException | HttpException.RuntimeException e) {
            onError(e);
        }
        return true;
    }

    /** The body, once it is there. */
    byte[] bytes() {
        return size == bytes.length ? bytes : Arrays.copyOf(bytes, size);
    }

    /** Gives its memory back; what was received is not used after that. */
    void release() {
        bytes = new byte[0];
        memory.release(reserved);
        reserved = 0;
    }

    @Override
    public void onDataAvailable() {
        try {
            while (!received.isDone() && in.isReady()) {
                if (draining) {
                    throwAway();
                } else if (size < bytes.length || grow(2 * bytes.length)) {
                    int read = in.read(bytes, size, bytes.length - size);
                    if (read < 0) {
                        return;
                    }
                    size += read;
                    judge();
                }
            }
        } catch (IOException | HttpException.RuntimeException e) {
            onError(e);
        }
    }

    @Override
    public void onAllDataRead() {
        received.complete(draining ? tooLarge() : null);
    }

    @Override
    public void onError(Throwable failure) {
        LOG.debug("a body could not be read", failure);
        received.complete(draining ? tooLarge() : isTimeout(failure) ? tooSlow() : broken());
    }

    /** To so many bytes, or one over the limit; false when there is no room for them, which is then the answer. */
    private boolean grow(int wanted) {
        int to = Math.min(wanted, limit + 1);
        if (!memory.tryAcquire(to - bytes.length)) {
            received.complete(
                    Reply.unavailable("too many large requests are being read right now; the request was not taken"));
            return false;
        }
        reserved += to - bytes.length;
        bytes = Arrays.copyOf(bytes, to);
        return true;
    }

    private void judge() {
        if (size > limit) {
            drain();
            return;
        }
        Duration taken = Duration.between(start, clock.instant());
        long least = MIN_BYTES_PER_SECOND * taken.minus(RATE_GRACE).toSeconds();
        if (size < least || taken.compareTo(BODY_TIMEOUT) > 0) {
            received.complete(tooSlow());
        }
    }

    private void drain() {
        draining = true;
        drainUntil = clock.instant().plus(DRAIN_TIMEOUT);
        release();
        if (!grow(Math.max(FIRST_BYTES, bytes.length))) {
            LOG.debug("no room to read the rest of a body over the limit");
        }
    }

    private void throwAway() throws IOException {
        int read = in.read(bytes, 0, bytes.length);
        drained += Math.max(0, read);
        if (drained > MAX_DRAINED_BYTES || clock.instant().isAfter(drainUntil)) {
            received.complete(tooLarge());
        }
    }

    private Reply tooLarge() {
        return Reply.problem(413, "Content Too Large", "the body is larger than " + limit + " bytes");
    }

    private static Reply tooSlow() {
        return Reply.problem(
                408,
                "Request Timeout",
                "the body did not come in time; expected all of it within " + BODY_TIMEOUT.toSeconds()
                        + " s, with no pause of more than " + HttpServer.STALL_TIMEOUT.toSeconds() + " s, and "
                        + MIN_BYTES_PER_SECOND + " bytes a second or more. Nothing was taken");
    }

    private static Reply broken() {
        return Reply.problem(
                400,
                "Bad Request",
                "the body ended before its announced end, or its chunks are malformed. Nothing was taken");
    }

    static boolean isTimeout(Throwable failure) {
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
}
