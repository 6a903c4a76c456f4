package dev.weir.ingress;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.weir.contracts.access.Caller;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.http.KnownJobs;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobRequest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes jobs of sound submissions: at most one for each (tenant, idempotency key), whatever arrives at once. What another
 * ingress takes at the same instant, the throttle sorts out: the first in Kafka wins. Thread-safe.
 */
final class Submissions {
    /** Keys under way and taken lately in this process; older ones are known to the status service. */
    static final int MOST_RECENT_KEYS = 100_000;

    static final Duration RECENT = Duration.ofMinutes(10);
    static final Duration KNOWN_JOB_TIMEOUT = Duration.ofSeconds(2);
    /** Of one upstream: waiting, scheduled and retrying. Its throttle keeps each of them. */
    static final long MOST_WAITING = 20_000_000;
    /** Room comes job by job; those who ask need not ask for each. */
    static final long FULL_RETRY_AFTER_SECONDS = 60;

    /** A submission that waited for another of the same key, and may go itself after that failed. */
    private static final int MAX_TURNS = 3;

    private static final Logger LOG = LoggerFactory.getLogger(Submissions.class);

    private final JobWriter writer;
    private final CompactedTopic<Forecast> forecasts;
    private final KnownJobs knownJobs;
    private final IngressMetrics metrics;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final TakenLately lately = new TakenLately();
    private final Cache<String, Recent> recent = Caffeine.newBuilder()
            .maximumSize(MOST_RECENT_KEYS)
            .expireAfterWrite(RECENT)
            // Its upkeep is short, and not worth another thread's waking.
            .executor(Runnable::run)
            .build();

    /** A key's submission, under way or taken. {@code reply} is 202 once it is taken. */
    private record Recent(String hash, CompletableFuture<Reply> reply) {}

    Submissions(
            JobWriter writer,
            CompactedTopic<Forecast> forecasts,
            KnownJobs knownJobs,
            IngressMetrics metrics,
            InstantSource clock,
            RandomGenerator random) {
        this.writer = writer;
        this.forecasts = forecasts;
        this.knownJobs = knownJobs;
        this.metrics = metrics;
        this.clock = clock;
        this.random = random;
    }

    CompletableFuture<Reply> submit(Caller caller, Draft draft, @Nullable String key, @Nullable String traceparent) {
        Instant now = clock.instant();
        String id = (key == null ? JobIds.fresh(now, random) : JobIds.ofKey(caller.tenant(), key)).toString();
        JobRequest job = new JobRequest(
                JobRequest.VERSION,
                id,
                caller.tenant(),
                draft.upstream(),
                draft.call(),
                draft.priority(),
                draft.notBefore(),
                draft.deadline(),
                draft.cost(),
                now.truncatedTo(ChronoUnit.MICROS),
                draft.hash(),
                traceparent);
        byte[] value = Json.bytes(job);
        if (value.length > Topics.MAX_JOB_BYTES) {
            return CompletableFuture.completedFuture(Reply.problem(
                    413,
                    "Content Too Large",
                    "as a record the job would take " + value.length + " bytes, more than the " + Topics.MAX_JOB_BYTES
                            + " that fit on its way; escapes and base64 make a body grow"));
        }
        KafkaWriter.Room room = writer.room(value.length);
        if (room == null) {
            return CompletableFuture.completedFuture(Reply.unavailable(
                    "too many jobs wait for Kafka right now, or this ingress is shutting down; the job was not taken"));
        }
        CompletableFuture<Reply> reply;
        try {
            reply = key == null ? create(caller, draft, job, value) : once(caller, draft, job, value, MAX_TURNS);
        } catch (RuntimeException e) {
            room.close();
            throw e;
        }
        return reply.whenComplete((done, failure) -> room.close());
    }

    /** A submission with a key: waits for, repeats or refuses what another of the same key became. */
    private CompletableFuture<Reply> once(Caller caller, Draft draft, JobRequest job, byte[] value, int turns) {
        Recent mine = new Recent(job.bodyHash(), new CompletableFuture<>());
        Recent first = recent.asMap().putIfAbsent(job.id(), mine);
        if (first == null) {
            var unused = known(job)
                    .thenCompose(known -> known == null ? create(caller, draft, job, value) : repeated(known, job))
                    .whenComplete((reply, failure) -> {
                        if (failure != null || reply.status() != 202) {
                            // Nothing was taken under this key by this process: the next one goes itself.
                            recent.asMap().remove(job.id(), mine);
                        }
                        if (failure != null) {
                            mine.reply().completeExceptionally(failure);
                        } else {
                            mine.reply().complete(reply);
                        }
                    });
            return mine.reply();
        }
        boolean same = first.hash().equals(job.bodyHash());
        return first.reply().thenCompose(reply -> {
            if (reply.status() == 202) {
                return CompletableFuture.completedFuture(same ? reply : Reply.otherBody());
            }
            if (same) {
                return CompletableFuture.completedFuture(reply);
            }
            return turns > 1
                    ? once(caller, draft, job, value, turns - 1)
                    : CompletableFuture.completedFuture(Reply.unavailable(
                            "other submissions with this Idempotency-Key are under way; the job was not taken"));
        });
    }

    private CompletableFuture<@Nullable KnownJob> known(JobRequest job) {
        CompletableFuture<@Nullable KnownJob> asked;
        try {
            asked = knownJobs.find(job.id());
        } catch (RuntimeException e) {
            asked = CompletableFuture.failedFuture(e);
        }
        return asked.copy()
                .orTimeout(KNOWN_JOB_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .exceptionally(failure -> {
                    Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                            ? failure.getCause()
                            : failure;
                    LOG.warn(
                            "could not look up job {} by its Idempotency-Key; it goes on as a new one, and the throttle drops"
                                    + " it if it is not: {}",
                            job.id(),
                            cause.toString());
                    return null;
                });
    }

    private CompletableFuture<Reply> repeated(KnownJob known, JobRequest job) {
        return CompletableFuture.completedFuture(
                known.bodyHash().equals(job.bodyHash())
                        ? Reply.accepted(known.id(), known.upstream(), known.acceptedAt(), null, clock.instant())
                        : Reply.otherBody());
    }

    private static long waiting(Forecast.Queue queue) {
        return queue.waiting() + queue.scheduled() + queue.retrying();
    }

    private CompletableFuture<Reply> create(Caller caller, Draft draft, JobRequest job, byte[] value) {
        Instant now = clock.instant();
        Forecast forecast = forecasts.of(job.upstream());
        if (forecast != null && waiting(forecast.queue()) >= MOST_WAITING) {
            return CompletableFuture.completedFuture(Reply.unavailable(
                    MOST_WAITING + " jobs and more wait for " + job.upstream() + " already; the job was not taken",
                    FULL_RETRY_AFTER_SECONDS));
        }
        Instant eta = EtaCheck.eta(forecast, lately, caller, draft, now);
        Instant deadline = draft.deadline();
        if (deadline != null && !deadline.isAfter(now)) {
            return CompletableFuture.completedFuture(
                    Reply.problem(Problem.fields(List.of(new Problem.FieldError("/deadline", EtaCheck.PAST)))));
        }
        if (deadline != null && eta != null && deadline.isBefore(eta) && !draft.acceptLate()) {
            return CompletableFuture.completedFuture(Reply.late(eta));
        }
        lately.add(job.upstream(), job.tenant(), job.priority(), job.cost(), now);
        return writer.write(job, value).handle((done, failure) -> {
            if (failure == null) {
                metrics.accepted(job.upstream());
                return Reply.accepted(job.id(), job.upstream(), job.acceptedAt(), eta, clock.instant());
            }
            return Reply.notWritten(failure);
        });
    }
}
