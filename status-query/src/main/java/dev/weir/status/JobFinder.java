package dev.weir.status;

import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.http.KnownJobs;
import dev.weir.contracts.wire.JobEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.streams.query.KeyQuery;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.state.HostInfo;
import org.jspecify.annotations.Nullable;

/**
 * Finds a job wherever its partition is: here, else on the instance that has it, one hop away. While that instance does not
 * answer, or has not caught up, a copy here or on a third instance answers, with what was told since, and says of when it is.
 * A copy never says that there is no such job. Thread-safe; never blocks but for a point read of the local store.
 */
final class JobFinder implements KnownJobs {
    /** A partition that has just begun here mostly catches up within this; until then no older copy is shown. */
    static final Duration COPY_AFTER = Duration.ofMillis(500);

    /** When another instance asks: it has given up after {@link Peers#TIMEOUT}. */
    static final Duration LONGEST_WAIT_OF_OTHERS = Duration.ofMillis(1500);

    /** Well below {@link Peers#TIMEOUT}: another instance may be asked to watch. */
    static final Duration LONGEST_WATCH = Duration.ofSeconds(1);

    private final JobLookup own;
    private final Progress progress;
    private final LocalStores stores;
    private final Routing routing;
    private final Peers peers;
    private final Changes changes;
    private final SinceLost sinceLost;
    private final Executor executor;
    private final Executor later;

    /** The newest state of a job that was told since its partition was lost, null when none was: {@link LostPartitions}. */
    interface SinceLost {
        SinceLost NOTHING = (id, partition) -> CompletableFuture.completedFuture(null);

        CompletableFuture<@Nullable JobEvent> newest(String id, int partition);
    }

    /** @param executor runs what follows a wait */
    JobFinder(
            JobLookup own,
            Progress progress,
            LocalStores stores,
            Routing routing,
            Peers peers,
            Changes changes,
            SinceLost sinceLost,
            Executor executor) {
        this.own = own;
        this.progress = progress;
        this.stores = stores;
        this.routing = routing;
        this.peers = peers;
        this.changes = changes;
        this.sinceLost = sinceLost;
        this.executor = executor;
        this.later = CompletableFuture.delayedExecutor(COPY_AFTER.toMillis(), TimeUnit.MILLISECONDS, executor);
    }

    /**
     * The job, or {@link Found#NONE} when there is none.
     *
     * @return fails with a {@link StatusUnavailableException} when it cannot be told in time
     */
    CompletableFuture<Found> job(String anyCaseId) {
        return job(anyCaseId, true);
    }

    /** The same for another instance that asks: from what is here. */
    CompletableFuture<Found> jobHere(String anyCaseId) {
        return job(anyCaseId, false)
                .orTimeout(LONGEST_WAIT_OF_OTHERS.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionallyCompose(failure -> CompletableFuture.failedFuture(JobLookup.unavailable(failure)));
    }

    /**
     * The job once its revision is above one that was seen, or as it is after {@link #LONGEST_WATCH}.
     *
     * @return fails as {@link #job(String)} does, then not at once
     */
    CompletableFuture<Found> next(String id, long seen) {
        int partition = own.partitionOf(id);
        HostInfo owner = progress.isRunning(partition) ? null : routing.owner(partition);
        if (owner == null) {
            return nextHere(id, seen, true);
        }
        return peers.next(owner, id, seen)
                .exceptionallyCompose(failure ->
                        CompletableFuture.supplyAsync(() -> id, later).thenCompose(this::job));
    }

    /** The same for another instance that asks. */
    CompletableFuture<Found> nextHere(String id, long seen) {
        return nextHere(id, seen, false);
    }

    private CompletableFuture<Found> nextHere(String id, long seen, boolean mayAskOthers) {
        // Before the look, or a change between the two would be missed.
        CompletableFuture<@Nullable Void> change = changes.next(id, LONGEST_WATCH.toMillis());
        return job(id, mayAskOthers).thenCompose(found -> {
            if (found.job() == null || found.job().revision() > seen) {
                change.complete(null);
                return CompletableFuture.completedFuture(found);
            }
            return change.thenComposeAsync(changed -> job(id, mayAskOthers), executor);
        });
    }

    private CompletableFuture<Found> job(String anyCaseId, boolean mayAskOthers) {
        String id = JobLookup.canonical(anyCaseId);
        if (id == null) {
            return CompletableFuture.completedFuture(Found.NONE);
        }
        int partition = own.partitionOf(id);
        if (progress.isCaughtUp(partition)) {
            return own.job(id).thenApply(Found::newest);
        }
        HostInfo owner = progress.isRunning(partition) ? null : routing.owner(partition);
        if (owner != null && mayAskOthers) {
            return peers.job(owner, id)
                    .exceptionallyCompose(failure -> copy(id, partition, others(partition, owner), failure));
        }
        return catchingUp(id, partition, mayAskOthers);
    }

    /** It is to be here, or nobody knows where: waits for it, and shows a copy when that takes long. */
    private CompletableFuture<Found> catchingUp(String id, int partition, boolean mayAskOthers) {
        CompletableFuture<Found> newest = own.job(id).thenApply(Found::newest);
        CompletableFuture<Found> answer = new CompletableFuture<>();
        var unused = newest.whenComplete((found, failure) -> {
            if (failure == null) {
                answer.complete(found);
            } else {
                answer.completeExceptionally(failure);
            }
        });
        copyLater(id, partition, mayAskOthers, newest, answer);
        return answer;
    }

    private void copyLater(
            String id,
            int partition,
            boolean mayAskOthers,
            CompletableFuture<Found> newest,
            CompletableFuture<Found> answer) {
        var unused = CompletableFuture.supplyAsync(
                        () -> mayAskOthers ? others(partition, null) : List.<HostInfo>of(), later)
                .thenCompose(others -> newest.isDone() ? newest : copy(id, partition, others, null))
                .thenAccept(answer::complete);
    }

    private List<HostInfo> others(int partition, @Nullable HostInfo tried) {
        List<HostInfo> others = new ArrayList<>(routing.standbys(partition));
        others.remove(tried);
        return others;
    }

    /** What a copy says, or what was told since; fails when neither knows the job. */
    private CompletableFuture<Found> copy(
            String id, int partition, List<HostInfo> others, @Nullable Throwable failure) {
        Found here = copyHere(id, partition);
        JobEvent copied = here == null ? null : here.job();
        if (copied != null && copied.status().finished()) {
            return CompletableFuture.completedFuture(here);
        }
        return sinceLost.newest(id, partition).thenCompose(job -> {
            if (job != null && (copied == null || job.revision() > copied.revision())) {
                return CompletableFuture.completedFuture(Found.of(job, job.updatedAt()));
            }
            return here != null ? CompletableFuture.completedFuture(here) : otherCopy(id, others, failure);
        });
    }

    private CompletableFuture<Found> otherCopy(String id, List<HostInfo> others, @Nullable Throwable failure) {
        CompletableFuture<Found> asked = CompletableFuture.failedFuture(new StatusUnavailableException(
                "the part of the status store that has this job is moving to another instance; ask again", failure));
        for (HostInfo other : others) {
            asked = asked.exceptionallyCompose(before -> peers.job(other, id));
        }
        return asked;
    }

    private @Nullable Found copyHere(String id, int partition) {
        try {
            QueryResult<JobEvent> beat =
                    stores.query(StatusTopology.JOBS, partition, KeyQuery.withKey(StatusTopology.BEAT));
            QueryResult<JobEvent> job = stores.query(StatusTopology.JOBS, partition, KeyQuery.withKey(id));
            if (beat == null || beat.getResult() == null || job == null || job.getResult() == null) {
                return null;
            }
            return Found.of(job.getResult(), beat.getResult().updatedAt());
        } catch (KafkaException e) {
            // Opening, closing or moving: then it is no help.
            return null;
        }
    }

    @Override
    public CompletableFuture<@Nullable KnownJob> find(String id) {
        return job(id).thenApply(found -> found.job() == null ? null : known(found.job()));
    }

    static KnownJob known(JobEvent job) {
        return new KnownJob(
                job.id(), job.tenant(), job.bodyHash(), job.upstream(), job.acceptedAt(), job.status(), job.cancel());
    }
}
