package dev.weir.ingress;

import dev.weir.contracts.access.Caller;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.http.KnownJobs;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.JobStatus;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cancels jobs: writes the wish behind the job's submission, and waits until the throttle's decision shows in the job's
 * status. Thread-safe.
 */
final class Cancellations {
    static final Duration PATIENCE = Duration.ofSeconds(5);
    static final Duration LOOKUP_TIMEOUT = Duration.ofSeconds(2);
    static final int MOST_WAITING = 500;

    private static final Pattern ID = Pattern.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}");
    private static final Logger LOG = LoggerFactory.getLogger(Cancellations.class);

    private final KafkaWriter kafka;
    private final KnownJobs jobs;
    private final AskAgain askAgain;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final Semaphore room = new Semaphore(MOST_WAITING);
    private final ConcurrentMap<Wish, CompletableFuture<Reply>> underWay = new ConcurrentHashMap<>();

    private record Wish(String tenant, String jobId) {}

    Cancellations(KafkaWriter kafka, KnownJobs jobs, AskAgain askAgain, InstantSource clock, RandomGenerator random) {
        this.kafka = kafka;
        this.jobs = jobs;
        this.askAgain = askAgain;
        this.clock = clock;
        this.random = random;
    }

    CompletableFuture<Reply> cancel(Caller caller, String anyCaseId) {
        String id = anyCaseId.toLowerCase(Locale.ROOT);
        if (!ID.matcher(id).matches()) {
            return CompletableFuture.completedFuture(unknown(anyCaseId));
        }
        if (!room.tryAcquire()) {
            return CompletableFuture.completedFuture(
                    Reply.unavailable(MOST_WAITING + " cancellations wait for their decisions already; send it again"));
        }
        // The status tells the newest cancellation only: two at once for one job would not both see theirs.
        Wish wish = new Wish(caller.tenant(), id);
        CompletableFuture<Reply> mine = new CompletableFuture<>();
        CompletableFuture<Reply> first = underWay.putIfAbsent(wish, mine);
        if (first == null) {
            var unused = decide(caller, id).whenComplete((reply, failure) -> {
                underWay.remove(wish, mine);
                if (failure == null) {
                    mine.complete(reply);
                } else {
                    mine.completeExceptionally(failure);
                }
            });
        }
        return (first == null ? mine : first).whenComplete((reply, failure) -> room.release());
    }

    private CompletableFuture<Reply> decide(Caller caller, String id) {
        return find(id).exceptionallyCompose(failure -> {
                    LOG.warn("job {} could not be looked up, so it is not cancelled: {}", id, failure.toString());
                    return CompletableFuture.failedFuture(new KafkaWriter.NotWritten(
                            "where the job stands cannot be told right now; nothing was changed, send it again",
                            failure));
                })
                .thenCompose(job -> {
                    if (job == null || !caller.sees(job.tenant())) {
                        return CompletableFuture.completedFuture(unknown(id));
                    }
                    Reply decided = decided(job, null);
                    return decided == null ? ask(job) : CompletableFuture.completedFuture(decided);
                })
                .exceptionally(Reply::notWritten);
    }

    private CompletableFuture<Reply> ask(KnownJob job) {
        Instant now = clock.instant();
        String cancellation = JobIds.fresh(now, random).toString();
        CancelRequest request = new CancelRequest(
                CancelRequest.VERSION,
                cancellation,
                job.id(),
                job.tenant(),
                job.upstream(),
                now.truncatedTo(ChronoUnit.MICROS));
        ProducerRecord<String, byte[]> record =
                new ProducerRecord<>(Topics.REQUESTS, job.upstream(), Json.bytes(request));
        record.headers().add(CancelRequest.TYPE_HEADER, CancelRequest.type());
        return kafka.write(record)
                .thenCompose(at -> askAgain.within(
                        PATIENCE,
                        () -> find(job.id()).thenApply(found -> found == null ? null : decided(found, cancellation))))
                .thenApply(decided -> decided == null ? Reply.undecided(job) : decided);
    }

    /** What a job's state says of a cancellation; null while it says nothing. */
    private static @Nullable Reply decided(KnownJob job, @Nullable String cancellation) {
        if (job.status() == JobStatus.CANCELLED) {
            return Reply.cancelled(job);
        }
        boolean tooLate = job.status().finished() || (cancellation != null && cancellation.equals(job.cancel()));
        return tooLate ? Reply.tooLate(job) : null;
    }

    private CompletableFuture<@Nullable KnownJob> find(String id) {
        CompletableFuture<@Nullable KnownJob> found;
        try {
            found = jobs.find(id);
        } catch (RuntimeException e) {
            found = CompletableFuture.failedFuture(e);
        }
        return found.copy().orTimeout(LOOKUP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static Reply unknown(String id) {
        return Reply.problem(404, "Not Found", "no job " + ClientText.cut(id) + " is known");
    }
}
