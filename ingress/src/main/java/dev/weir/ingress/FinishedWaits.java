package dev.weir.ingress;

import dev.weir.contracts.http.FinishedJobs;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Lets clients wait for their jobs' ends, each within its time and so many at once. A wait holds a connection and no thread.
 * Thread-safe.
 */
final class FinishedWaits implements AutoCloseable {
    static final int MOST_WAITING = 1_024;

    private final FinishedJobs jobs;
    private final Semaphore room = new Semaphore(MOST_WAITING);
    private final Map<Long, CompletableFuture<byte @Nullable []>> open = new ConcurrentHashMap<>();
    private final AtomicLong count = new AtomicLong();
    private volatile boolean closed;

    FinishedWaits(FinishedJobs jobs) {
        this.jobs = jobs;
    }

    /** The 200 with the finished job if it ends in time, else the 202 that its submission was answered with. */
    CompletableFuture<Reply> answer(Reply accepted, Preference preference) {
        Duration wait = preference.patience();
        if (accepted.status() != 202 || preference.equals(Preference.NONE)) {
            return CompletableFuture.completedFuture(accepted);
        }
        String id = accepted.jobId();
        if (wait == null || id == null || wait.isZero() || closed || !room.tryAcquire()) {
            return CompletableFuture.completedFuture(accepted.preferenceApplied(preference.applied(false)));
        }
        CompletableFuture<byte @Nullable []> end = jobs.within(id, wait).exceptionally(failure -> null);
        long number = count.incrementAndGet();
        open.put(number, end);
        if (closed) {
            end.complete(null);
        }
        String applied = preference.applied(true);
        return end.whenComplete((job, failure) -> {
                    open.remove(number);
                    room.release();
                })
                .thenApply(job -> (job == null ? accepted : accepted.finished(job)).preferenceApplied(applied));
    }

    /** Answers those who wait at once: their jobs are taken, and they can ask for them elsewhere. */
    @Override
    public void close() {
        closed = true;
        open.values().forEach(end -> end.complete(null));
    }
}
