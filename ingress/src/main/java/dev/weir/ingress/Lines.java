package dev.weir.ingress;

import dev.weir.contracts.access.Caller;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.limit.Allowance;
import dev.weir.contracts.limit.QuotaExceeded;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The lines of one batch: cuts them out of the bytes that come, has each taken, and says how it is answered. Not
 * thread-safe.
 */
final class Lines {
    /** Lines that are longer take room from what all requests share. */
    static final int OWN_BYTES = 4 * 1024;

    private static final Logger LOG = LoggerFactory.getLogger(Lines.class);

    private final Caller caller;
    private final Allowance allowance;
    private final @Nullable String key;
    private final @Nullable String traceparent;
    private final Taker taker;
    private final int maxLineBytes;
    private final Semaphore memory;
    private byte[] line = new byte[OWN_BYTES];
    private int size;
    /** Why the line that is coming in is not kept; null when it is. */
    private @Nullable Reply refused;

    private long number;

    /** Makes a job of a line. */
    interface Taker {
        /** @param body is not used after the call has returned */
        CompletableFuture<Reply> take(Caller caller, byte[] body, @Nullable String key, @Nullable String traceparent);
    }

    /** The answer to a line, as soon as {@code reply} is there. */
    record Answer(long line, CompletableFuture<Reply> reply) {
        private record Taken(long line, String id) {}

        private record NotTaken(long line, Object problem) {}

        /** Once {@code reply} is there. */
        Reply known() {
            return reply.exceptionally(failure -> {
                        LOG.error("line {} of a batch failed; answered 500", line, failure);
                        return Reply.problem(
                                500,
                                "Internal Server Error",
                                "Weir failed to answer; its log says why. The job may or may not be taken");
                    })
                    .join();
        }

        byte[] bytes(Reply known) {
            String id = known.jobId();
            return Json.bytes(id == null ? new NotTaken(line, known.body()) : new Taken(line, id));
        }
    }

    /**
     * @param allowance a line is one job of it
     * @param key of the whole batch: the same line of the same batch is the same job; null when there is none
     * @param memory bytes that all requests that are being read may take together
     */
    Lines(
            Caller caller,
            Allowance allowance,
            @Nullable String key,
            @Nullable String traceparent,
            Taker taker,
            int maxLineBytes,
            Semaphore memory) {
        this.caller = caller;
        this.allowance = allowance;
        this.key = key;
        this.traceparent = traceparent;
        this.taker = taker;
        this.maxLineBytes = maxLineBytes;
        this.memory = memory;
    }

    /** Bytes of a line that has not ended. */
    void add(byte[] bytes, int from, int to) {
        int more = to - from;
        if (refused != null) {
            return;
        }
        if (size + more > maxLineBytes) {
            refuse(Reply.problem(413, "Content Too Large", "the line is larger than " + maxLineBytes + " bytes"));
            return;
        }
        if (size + more > line.length) {
            int wanted = Math.min(Math.max(2 * line.length, size + more), maxLineBytes);
            if (!memory.tryAcquire(wanted - line.length)) {
                refuse(Reply.unavailable("too many large requests are being read right now; the line was not taken"));
                return;
            }
            line = Arrays.copyOf(line, wanted);
        }
        System.arraycopy(bytes, from, line, size, more);
        size += more;
    }

    /** The line has ended: takes it. Null when there is nothing in it. */
    @Nullable
    Answer end() {
        number++;
        Reply no = refused;
        int length = size > 0 && line[size - 1] == '\r' ? size - 1 : size;
        byte[] body = no == null ? Arrays.copyOf(line, length) : line;
        release();
        if (no == null && isBlank(body)) {
            return null;
        }
        if (no == null) {
            QuotaExceeded exceeded = allowance.take();
            no = exceeded == null ? null : Reply.exceeded(exceeded);
        }
        CompletableFuture<Reply> reply;
        try {
            reply = no == null
                    ? taker.take(caller, body, key == null ? null : ofLine(key, number), traceparent)
                    : CompletableFuture.completedFuture(no);
        } catch (RuntimeException e) {
            reply = CompletableFuture.failedFuture(e);
        }
        return new Answer(number, reply);
    }

    /** Whether a line has begun and not ended. */
    boolean isOpen() {
        return size > 0 || refused != null;
    }

    /** Nothing more is taken: the answer to the next line, which stands for all that come after. */
    Answer stop(Reply why) {
        release();
        return new Answer(++number, CompletableFuture.completedFuture(why));
    }

    /** No header's value has a line's end, so no key of a single job is the same. */
    private static String ofLine(String key, long number) {
        return key + "\n" + number;
    }

    private void refuse(Reply why) {
        release();
        refused = why;
    }

    private void release() {
        memory.release(line.length - OWN_BYTES);
        line = line.length == OWN_BYTES ? line : new byte[OWN_BYTES];
        size = 0;
        refused = null;
    }

    private static boolean isBlank(byte[] body) {
        for (byte b : body) {
            if (b != ' ' && b != '\t') {
                return false;
            }
        }
        return true;
    }
}
