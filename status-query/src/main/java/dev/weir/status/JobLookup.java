package dev.weir.status;

import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import java.util.regex.Pattern;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.query.KeyQuery;
import org.apache.kafka.streams.query.QueryResult;
import org.jspecify.annotations.Nullable;

/**
 * Finds the newest state of a job whose partition this instance has. A miss is believed only after the store has passed the end that {@code weir.accepted} had
 * after the question came: the 202 follows that record, so a job that was answered 202 is always found. Thread-safe; never
 * blocks but for a point read of the local store.
 */
final class JobLookup {
    /** Each of the two waits of a lookup: for the store to be back after a restart, and for it to pass the end. */
    static final Duration LONGEST_WAIT = Duration.ofSeconds(5);

    static final int MOST_WAITING = 4_096;
    private static final Pattern ID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");

    private final Progress progress;
    private final IntFunction<CompletableFuture<Long>> endOfAccepted;
    private final LocalStores stores;
    private final Executor executor;
    private final Semaphore waiting = new Semaphore(MOST_WAITING);

    /**
     * @param endOfAccepted the end offset of a partition of {@code weir.accepted}, read after the call
     * @param executor runs what follows a wait
     */
    JobLookup(
            Progress progress,
            IntFunction<CompletableFuture<Long>> endOfAccepted,
            LocalStores stores,
            Executor executor) {
        this.progress = progress;
        this.endOfAccepted = endOfAccepted;
        this.stores = stores;
        this.executor = executor;
    }

    /** The id as it is stored; null when no job can have it. */
    static @Nullable String canonical(String anyCaseId) {
        String id = anyCaseId.toLowerCase(Locale.ROOT);
        return ID.matcher(id).matches() ? id : null;
    }

    int partitionOf(String id) {
        return Topics.partitionOf(id, progress.partitions());
    }

    /**
     * The job's newest state, or null when there is no such job.
     *
     * @param id see {@link #canonical}
     * @return fails with a {@link StatusUnavailableException} when that cannot be told in time
     */
    CompletableFuture<@Nullable JobEvent> job(String id) {
        int partition = partitionOf(id);
        if (progress.isCaughtUp(partition)) {
            try {
                JobEvent found = read(id, partition);
                // What was read between a loss of the partition and its becoming known here may be old.
                if (found != null && progress.isCaughtUp(partition)) {
                    return CompletableFuture.completedFuture(found);
                }
            } catch (KafkaException e) {
                return CompletableFuture.failedFuture(unavailable(e));
            }
        }
        if (!waiting.tryAcquire()) {
            return CompletableFuture.failedFuture(new StatusUnavailableException(
                    MOST_WAITING + " lookups wait for the status store already; ask again", null));
        }
        return missed(id, partition).handle((found, failure) -> {
            waiting.release();
            if (failure != null) {
                throw unavailable(failure);
            }
            return found;
        });
    }

    private CompletableFuture<@Nullable JobEvent> missed(String id, int partition) {
        return within(progress.whenCaughtUp(partition))
                .thenCompose(caughtUp -> endOfAccepted.apply(partition))
                .thenCompose(end -> within(progress.whenAccepted(partition, end)))
                .thenApplyAsync(passed -> read(id, partition), executor);
    }

    private @Nullable JobEvent read(String id, int partition) {
        QueryResult<JobEvent> result = stores.query(StatusTopology.JOBS, partition, KeyQuery.withKey(id));
        if (result == null) {
            throw new InvalidStateStoreException("partition " + partition + " has left this instance");
        }
        return result.getResult();
    }

    private static CompletableFuture<@Nullable Void> within(CompletableFuture<@Nullable Void> own) {
        return own.orTimeout(LONGEST_WAIT.toMillis(), TimeUnit.MILLISECONDS);
    }

    static RuntimeException unavailable(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof StatusUnavailableException known) {
            return known;
        }
        if (cause instanceof TimeoutException) {
            return new StatusUnavailableException(
                    "the status store is behind: it is starting, or has much to read; ask again", cause);
        }
        if (cause instanceof RejectedExecutionException) {
            return new StatusUnavailableException("the status service has too much to answer; ask again", cause);
        }
        if (cause instanceof KafkaException) {
            return new StatusUnavailableException(
                    "the status store cannot be read, or Kafka does not answer; ask again", cause);
        }
        return new IllegalStateException("looking up a job failed", cause);
    }
}
