package dev.weir.ingress;

import dev.weir.contracts.access.Caller;
import dev.weir.contracts.limit.Allowance;
import io.javalin.http.Context;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** {@code POST /v1/jobs/batch}: many jobs in one request, each answered for itself. Thread-safe. */
final class Batches implements AutoCloseable {
    static final List<String> NDJSON = List.of("application/x-ndjson");
    /** At once. With the lines that each has under way they stay below what the writer takes. */
    static final int MOST = 32;
    /** So that slow senders of one tenant do not keep the others out. */
    static final int MOST_OF_A_TENANT = 16;

    private final RequestReader reader;
    private final Lines.Taker taker;
    private final int maxLineBytes;
    private final Semaphore memory;
    private final Answers answers;
    private final IngressMetrics metrics;
    private final InstantSource clock;
    private final Map<String, Integer> ofTenants = new ConcurrentHashMap<>();
    private final Set<Batch> open = ConcurrentHashMap.newKeySet();
    private final Semaphore room = new Semaphore(MOST);
    private volatile boolean closed;

    /**
     * @param taker takes one line
     * @param memory bytes that all requests that are being read may take together
     */
    Batches(
            RequestReader reader,
            Lines.Taker taker,
            int maxLineBytes,
            Semaphore memory,
            Answers answers,
            IngressMetrics metrics,
            InstantSource clock) {
        this.reader = reader;
        this.taker = taker;
        this.maxLineBytes = maxLineBytes;
        this.memory = memory;
        this.answers = answers;
        this.metrics = metrics;
        this.clock = clock;
    }

    void handle(Context ctx) {
        Caller caller = Caller.of(ctx);
        Reply refusal = reader.refusal(ctx, NDJSON);
        if (refusal == null && !enter(caller.tenant())) {
            refusal = Reply.unavailable("too many batches are under way; nothing of this one was taken");
        }
        if (refusal != null) {
            answers.now(ctx, refusal);
            return;
        }
        metrics.answered(200);
        String key = reader.key(ctx);
        String traceparent = RequestReader.traceparent(ctx);
        ctx.status(200).contentType(NDJSON.get(0));
        ctx.future(() -> run(ctx, new Lines(caller, Allowance.of(ctx), key, traceparent, taker, maxLineBytes, memory))
                .whenComplete((done, failure) -> leave(caller.tenant())));
    }

    private CompletableFuture<@Nullable Void> run(Context ctx, Lines lines) {
        // It takes as long as its sender has lines; a sender that stalls ends it.
        ctx.req().getAsyncContext().setTimeout(0);
        Batch batch;
        try {
            batch = new Batch(ctx.req().getInputStream(), ctx.res().getOutputStream(), lines, answers, metrics, clock);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
        open.add(batch);
        if (closed) {
            batch.stop();
        }
        return batch.start().whenComplete((done, failure) -> open.remove(batch));
    }

    private boolean enter(String tenant) {
        if (closed || !room.tryAcquire()) {
            return false;
        }
        int own = ofTenants.merge(tenant, 1, Integer::sum);
        if (own > MOST_OF_A_TENANT) {
            leave(tenant);
            return false;
        }
        return true;
    }

    private void leave(String tenant) {
        ofTenants.computeIfPresent(tenant, (name, own) -> own == 1 ? null : own - 1);
        room.release();
    }

    /** Ends those under way: what they took is answered, and the rest is told not to be taken. */
    @Override
    public void close() {
        closed = true;
        open.forEach(Batch::stop);
    }
}
