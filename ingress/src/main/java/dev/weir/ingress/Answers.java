package dev.weir.ingress;

import dev.weir.contracts.http.Sending;
import io.javalin.http.Context;
import jakarta.servlet.ServletOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes answers that come later, on threads of its own, without waiting for the one who reads them. Thread-safe. */
final class Answers implements AutoCloseable, Executor {
    /** So that the producer's own thread never writes one. */
    static final int THREADS = 2;
    /** Each belongs to something that was let in, so this is never full. */
    static final int MOST_WAITING = 2
            * (KafkaWriter.MAX_IN_FLIGHT
                    + Cancellations.MOST_WAITING
                    + UpstreamChanges.MOST_WAITING
                    + FinishedWaits.MOST_WAITING
                    + Batches.MOST);

    /** What the server takes in one piece without writing it out: no write of it waits. */
    static final int MAX_BUFFERED_BYTES = 4 * 1024;

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

    private final IngressMetrics metrics;
    private final ThreadPoolExecutor threads;

    Answers(IngressMetrics metrics) {
        this.metrics = metrics;
        AtomicInteger count = new AtomicInteger();
        this.threads = new ThreadPoolExecutor(
                THREADS, THREADS, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MOST_WAITING), task -> {
                    Thread thread = new Thread(task, "ingress-answers-" + count.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
    }

    @Override
    public void execute(Runnable task) {
        threads.execute(task);
    }

    /** Answers now; for what is small. */
    void now(Context ctx, Reply reply) {
        var written = write(ctx, reply, false);
        if (!written.isDone()) {
            throw new IllegalStateException("an answer of the request's own thread waits");
        }
    }

    /**
     * Answers once it is known how.
     *
     * @param work begins once the request is asynchronous
     * @param ifItFails what to do then, for the client
     */
    void later(Context ctx, Supplier<CompletableFuture<Reply>> work, String ifItFails) {
        ctx.future(() -> {
            CompletableFuture<Reply> later = work.get();
            return later.isDone()
                    ? write(ctx, known(ctx, later, ifItFails), true)
                    : later.handleAsync((reply, failure) -> known(ctx, later, ifItFails), threads)
                            .thenCompose(reply -> write(ctx, reply, true));
        });
    }

    private static Reply known(Context ctx, CompletableFuture<Reply> done, String ifItFails) {
        return done.exceptionally(failure -> {
                    LOG.error("{} {} failed; answered 500", ctx.method(), ctx.path(), failure);
                    return Reply.problem(
                            500, "Internal Server Error", "Weir failed to answer; its log says why. " + ifItFails);
                })
                .join();
    }

    /** Past Javalin's own way, which waits until the reader has taken it. */
    private CompletableFuture<@Nullable Void> write(Context ctx, Reply reply, boolean asynchronous) {
        metrics.answered(reply.status());
        byte[] bytes = reply.bytes();
        try {
            ServletOutputStream out = reply.head(ctx).res().getOutputStream();
            if (bytes.length <= MAX_BUFFERED_BYTES || !asynchronous) {
                out.write(bytes);
                return CompletableFuture.completedFuture(null);
            }
            return Sending.send(ctx, bytes);
        } catch (IOException e) {
            LOG.debug("an answer could not be written", e);
            return CompletableFuture.completedFuture(null);
        }
    }

    @Override
    public void close() {
        threads.shutdown();
        try {
            if (!threads.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("some answers were not written within {}; their clients will ask again", CLOSE_TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
