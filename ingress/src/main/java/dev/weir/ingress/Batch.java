package dev.weir.ingress;

import dev.weir.contracts.http.HttpServer;
import jakarta.servlet.ReadListener;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.eclipse.jetty.http.HttpException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One batch, streamed both ways: reads on only while few lines are under way and their answers are read, so that it takes the
 * same memory however many lines there are. It holds no thread. Whatever happens calls {@link #turn}, and of all the threads
 * that do, one at a time has the turn; the state is that one's.
 */
final class Batch implements ReadListener, WriteListener {
    static final int MOST_OPEN_LINES = 256;
    /** From a line's first bytes to its end. */
    static final Duration LINE_TIMEOUT = BodyReading.BODY_TIMEOUT;

    private static final int READ_BYTES = 16 * 1024;
    private static final int WRITE_BYTES = 16 * 1024;
    private static final Logger LOG = LoggerFactory.getLogger(Batch.class);

    private final ServletInputStream in;
    private final ServletOutputStream out;
    private final Lines lines;
    private final Executor executor;
    private final IngressMetrics metrics;
    private final InstantSource clock;
    private final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
    private final AtomicInteger calls = new AtomicInteger();

    /** Why nothing more is read, set from outside the turn; null while there is no reason. */
    private volatile @Nullable Reply stopped;

    private volatile boolean writable;

    private final Deque<Lines.Answer> open = new ArrayDeque<>();
    private final byte[] read = new byte[READ_BYTES];
    private int readFrom;
    private int readTo;
    private boolean ended;
    private boolean unflushed;
    private Instant lineSince = Instant.MAX;
    private Instant drainUntil = Instant.MAX;
    private long drainedBytes;

    Batch(
            ServletInputStream in,
            ServletOutputStream out,
            Lines lines,
            Executor executor,
            IngressMetrics metrics,
            InstantSource clock) {
        this.in = in;
        this.out = out;
        this.lines = lines;
        this.executor = executor;
        this.metrics = metrics;
        this.clock = clock;
    }

    /** Begins; the request must be asynchronous by then. Completes when all is answered, or nobody is there to read it. */
    CompletableFuture<@Nullable Void> start() {
        out.setWriteListener(this);
        in.setReadListener(this);
        return done;
    }

    /** Takes no more lines. */
    void stop() {
        stop(Reply.unavailable("this ingress is shutting down: this line and those after it were not taken"));
        later();
    }

    private void stop(Reply why) {
        if (stopped == null) {
            stopped = why;
        }
    }

    @Override
    public void onDataAvailable() {
        turn();
    }

    @Override
    public void onAllDataRead() {
        turn();
    }

    @Override
    public void onWritePossible() {
        writable = true;
        turn();
    }

    /** Of reading and of writing: the server calls it for either, and once nothing can be written {@code out} says so. */
    @Override
    public void onError(Throwable failure) {
        LOG.debug("a batch could not be read or answered to its end", failure);
        stop(cutShort(failure));
        turn();
    }

    private static Reply cutShort(Throwable failure) {
        return BodyReading.isTimeout(failure)
                ? tooSlow()
                : Reply.problem(
                        400,
                        "Bad Request",
                        "the batch ended before its announced end, or its chunks are malformed: this line and those after"
                                + " it were not taken");
    }

    private static Reply tooSlow() {
        return Reply.problem(
                408,
                "Request Timeout",
                "the batch did not come in time, or its answers were not read; expected no pause of more than "
                        + HttpServer.STALL_TIMEOUT.toSeconds() + " s, and each line within " + LINE_TIMEOUT.toSeconds()
                        + " s: this line and those after it were not taken");
    }

    /** A line's answer is there: goes on elsewhere, for this thread is the producer's. */
    private void later() {
        if (calls.getAndIncrement() == 0) {
            try {
                executor.execute(this::turns);
            } catch (RejectedExecutionException e) {
                LOG.debug("the ingress is closed: a batch is left as it is");
                done.complete(null);
            }
        }
    }

    private void turn() {
        if (calls.getAndIncrement() == 0) {
            turns();
        }
    }

    private void turns() {
        int seen = calls.get();
        do {
            try {
                goOn();
            } catch (IOException | HttpException.RuntimeException e) {
                LOG.debug("a batch's client is gone, or sent what is no HTTP", e);
                done.complete(null);
            } catch (RuntimeException e) {
                LOG.error(
                        "a batch failed; its connection is closed, and its lines under way may or may not be taken", e);
                done.completeExceptionally(e);
            }
            seen = calls.addAndGet(-seen);
        } while (seen != 0);
    }

    private void goOn() throws IOException {
        boolean more = true;
        while (more && !done.isDone()) {
            readOn();
            more = writeOn();
        }
        if (!done.isDone() && ended && open.isEmpty() && writable && !unflushed && out.isReady() && drained()) {
            done.complete(null);
        }
    }

    /**
     * Reads and throws away what still comes after the last line that was taken, within bounds: its sender would lose answers
     * if the connection were closed on unread bytes.
     */
    private boolean drained() {
        if (stopped == null) {
            return true;
        }
        if (drainUntil.equals(Instant.MAX)) {
            drainUntil = clock.instant().plus(BodyReading.DRAIN_TIMEOUT);
        }
        try {
            while (drainedBytes < BodyReading.MAX_DRAINED_BYTES
                    && clock.instant().isBefore(drainUntil)) {
                if (!in.isReady()) {
                    return false;
                }
                int some = in.read(read, 0, read.length);
                if (some < 0) {
                    return true;
                }
                drainedBytes += some;
            }
        } catch (IOException | HttpException.RuntimeException e) {
            LOG.debug("the rest of a batch did not come", e);
        }
        return true;
    }

    private void readOn() throws IOException {
        while (!ended && open.size() < MOST_OPEN_LINES) {
            Reply why = stopped;
            if (why != null) {
                ended = true;
                answer(lines.stop(why));
            } else if (readFrom < readTo) {
                cut();
            } else if (!read()) {
                return;
            }
        }
    }

    /** False when there is nothing to be read now. */
    private boolean read() {
        try {
            if (!in.isReady()) {
                return false;
            }
            readFrom = 0;
            readTo = in.read(read, 0, read.length);
        } catch (IOException | HttpException.RuntimeException e) {
            stop(cutShort(e));
            readTo = 0;
            return true;
        }
        if (readTo < 0) {
            ended = true;
            if (lines.isOpen()) {
                answer(lines.end());
            }
        }
        return true;
    }

    private void cut() {
        int from = readFrom;
        int to = from;
        while (to < readTo && read[to] != '\n') {
            to++;
        }
        boolean whole = to < readTo;
        if (lineSince.equals(Instant.MAX)) {
            lineSince = clock.instant();
        } else if (Duration.between(lineSince, clock.instant()).compareTo(LINE_TIMEOUT) > 0) {
            stop(tooSlow());
            return;
        }
        lines.add(read, from, to);
        readFrom = whole ? to + 1 : to;
        if (whole) {
            lineSince = Instant.MAX;
            answer(lines.end());
        }
    }

    private void answer(Lines.@Nullable Answer answer) {
        if (answer == null) {
            return;
        }
        open.add(answer);
        if (!answer.reply().isDone()) {
            var unused = answer.reply().whenComplete((reply, failure) -> later());
        }
    }

    /** True when there is room for more lines now. */
    private boolean writeOn() throws IOException {
        boolean room = false;
        while (writable && !open.isEmpty() && open.element().reply().isDone() && out.isReady()) {
            ByteArrayOutputStream some = new ByteArrayOutputStream();
            while (some.size() < WRITE_BYTES
                    && !open.isEmpty()
                    && open.element().reply().isDone()) {
                Lines.Answer answer = open.remove();
                Reply known = answer.known();
                some.writeBytes(answer.bytes(known));
                some.write('\n');
                metrics.line(known.status());
            }
            room = true;
            unflushed = true;
            out.write(some.toByteArray());
        }
        if (unflushed && out.isReady()) {
            unflushed = false;
            out.flush();
        }
        return room && !ended;
    }
}
