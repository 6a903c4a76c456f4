package dev.weir.status;

import dev.weir.contracts.http.FinishedJobs;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.JobEvent;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the end of a job, and then a little for its result, which another process writes at its own pace. Thread-safe;
 * no thread waits.
 */
final class JobEnds implements FinishedJobs {
    /** Between two looks for a result that is not stored yet; it doubles. */
    static final Duration FIRST_STEP = Duration.ofMillis(20);

    /** Between two looks for the end of a job whose store may be another instance's, which tells nobody of it. */
    static final Duration LONGEST_STEP = Duration.ofSeconds(1);

    private final JobFinder jobs;
    private final JobViews views;
    private final Endings endings;
    private final Executor executor;

    JobEnds(JobFinder jobs, JobViews views, Endings endings, Executor executor) {
        this.jobs = jobs;
        this.views = views;
        this.endings = endings;
        this.executor = executor;
    }

    /** One wait: what is known by the time it is over. */
    private record Wait(
            CompletableFuture<byte @Nullable []> answer, AtomicReference<byte @Nullable []> withoutResult) {}

    @Override
    public CompletableFuture<byte @Nullable []> within(String anyCaseId, Duration patience) {
        String id = JobLookup.canonical(anyCaseId);
        CompletableFuture<@Nullable Void> end = id == null ? null : endings.of(id);
        if (id == null || end == null) {
            return CompletableFuture.completedFuture(null);
        }
        Wait wait = new Wait(new CompletableFuture<>(), new AtomicReference<>());
        CompletableFuture<@Nullable Void> time = new CompletableFuture<@Nullable Void>()
                .completeOnTimeout(null, patience.toMillis(), TimeUnit.MILLISECONDS);
        var unusedTime =
                time.thenRun(() -> wait.answer().complete(wait.withoutResult().get()));
        var unusedEnd = end.thenRunAsync(() -> look(id, wait, FIRST_STEP), executor)
                .exceptionally(failure -> {
                    wait.answer().complete(null);
                    return null;
                });
        // It may have ended before anyone waited for that.
        look(id, wait, FIRST_STEP);
        return wait.answer().whenComplete((job, failure) -> {
            end.complete(null);
            time.complete(null);
        });
    }

    /** @param again after which to look again, when there is no end, or no result */
    private void look(String id, Wait wait, Duration again) {
        if (wait.answer().isDone()) {
            return;
        }
        var unused = jobs.job(id)
                .thenCompose(found -> {
                    JobEvent job = found.job();
                    if (job == null || !job.status().finished()) {
                        lookAgain(id, wait, LONGEST_STEP);
                        return CompletableFuture.<@Nullable Void>completedFuture(null);
                    }
                    return views.results().of(job).<@Nullable Void>thenApply(result -> {
                        ended(id, wait, again, job, result);
                        return null;
                    });
                })
                .exceptionally(failure -> {
                    // It cannot be told, or too many ask: the client asks for itself later.
                    wait.answer().complete(null);
                    return null;
                });
    }

    private void ended(String id, Wait wait, Duration again, JobEvent job, JobResults.Found result) {
        byte[] told = Json.bytes(views.of(job, result, null));
        if (!result.pending()) {
            wait.answer().complete(told);
            return;
        }
        wait.withoutResult().set(told);
        Duration twice = again.multipliedBy(2);
        lookAgain(id, wait, twice.compareTo(LONGEST_STEP) < 0 ? twice : LONGEST_STEP);
    }

    private void lookAgain(String id, Wait wait, Duration after) {
        CompletableFuture.delayedExecutor(after.toMillis(), TimeUnit.MILLISECONDS, executor)
                .execute(() -> look(id, wait, after));
    }
}
