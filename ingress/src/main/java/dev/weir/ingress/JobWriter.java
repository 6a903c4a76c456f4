package dev.weir.ingress;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.JobRequest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes a job to {@code weir.requests} and, once that is acknowledged, to {@code weir.accepted}. Thread-safe. */
final class JobWriter {
    /**
     * So long {@code weir.accepted} is tried, for a job that stands in weir.requests already: giving up leaves it
     * half-accepted.
     */
    static final Duration ACCEPTED_PATIENCE = Duration.ofSeconds(10);

    static final Duration ACCEPTED_PAUSE = Duration.ofMillis(200);
    /** An outage is told in one line for all the jobs that it hits meanwhile. */
    static final Duration TELL_EVERY = Duration.ofSeconds(5);

    private static final int ACCEPTED_RECORD_BYTES = 512;
    private static final Logger LOG = LoggerFactory.getLogger(JobWriter.class);

    private final KafkaWriter kafka;
    private final InstantSource clock;
    private final AtomicLong untold = new AtomicLong();
    private final AtomicReference<Instant> tellNext = new AtomicReference<>(Instant.MIN);

    JobWriter(KafkaWriter kafka, InstantSource clock) {
        this.kafka = kafka;
        this.clock = clock;
    }

    /** Takes room for one job; null when there is none. The caller gives it back by closing it. */
    KafkaWriter.@Nullable Room room(int recordBytes) {
        return kafka.room(recordBytes + ACCEPTED_RECORD_BYTES);
    }

    /** Completes when both records are acknowledged; fails with {@link KafkaWriter.NotWritten} otherwise. */
    CompletableFuture<Void> write(JobRequest job, byte[] value) {
        if (!kafka.reachesKafka()) {
            return CompletableFuture.failedFuture(new KafkaWriter.NotWritten(
                    "Kafka cannot be reached right now; the job was not taken, send it again", null));
        }
        return kafka.send(new ProducerRecord<>(Topics.REQUESTS, job.upstream(), value))
                .exceptionallyCompose(failure -> {
                    tell(job, failure);
                    return CompletableFuture.failedFuture(new KafkaWriter.NotWritten(
                            "Kafka did not confirm the job; it is not accepted, send it again (with an Idempotency-Key it"
                                    + " can never become two)",
                            failure));
                })
                .thenCompose(done -> accepted(job, clock.instant().plus(ACCEPTED_PATIENCE)))
                .thenRun(kafka::succeeded);
    }

    private void tell(JobRequest job, Throwable failure) {
        long count = untold.incrementAndGet();
        Instant now = clock.instant();
        Instant next = tellNext.get();
        if (now.isBefore(next) || !tellNext.compareAndSet(next, now.plus(TELL_EVERY))) {
            LOG.debug("job {} for {} was answered 503: {}", job.id(), job.upstream(), failure.getMessage());
            return;
        }
        untold.addAndGet(-count);
        LOG.warn(
                "Kafka did not confirm {} jobs since this was last said, the newest of them {} for {}; their clients were"
                        + " answered 503, and send them again: {}",
                count,
                job.id(),
                job.upstream(),
                failure.getMessage());
    }

    private CompletableFuture<RecordMetadata> accepted(JobRequest job, Instant until) {
        Accepted accepted = new Accepted(
                Accepted.VERSION,
                job.id(),
                job.tenant(),
                job.upstream(),
                job.priority(),
                job.notBefore(),
                job.acceptedAt(),
                job.bodyHash(),
                job.cost());
        return kafka.send(new ProducerRecord<>(Topics.ACCEPTED, job.id(), Json.bytes(accepted)))
                .exceptionallyCompose(failure -> {
                    if (clock.instant().isBefore(until)) {
                        return CompletableFuture.runAsync(
                                        () -> {},
                                        CompletableFuture.delayedExecutor(
                                                ACCEPTED_PAUSE.toMillis(), TimeUnit.MILLISECONDS))
                                .thenCompose(paused -> accepted(job, until));
                    }
                    LOG.error(
                            "job {} for {} stands in {} and will be carried out, but {} did not take it within {}: its"
                                    + " client was answered 503: {}",
                            job.id(),
                            job.upstream(),
                            Topics.REQUESTS,
                            Topics.ACCEPTED,
                            ACCEPTED_PATIENCE,
                            failure.getMessage());
                    return CompletableFuture.failedFuture(new KafkaWriter.NotWritten(
                            "Kafka failed half-way: job " + job.id()
                                    + " may be carried out all the same; look at /v1/jobs/" + job.id()
                                    + " before sending it again",
                            failure));
                });
    }
}
