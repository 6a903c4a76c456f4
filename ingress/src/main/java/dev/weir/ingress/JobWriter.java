package dev.weir.ingress;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.JobRequest;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes a job to {@code weir.requests} and, once that is acknowledged, to {@code weir.accepted}. Thread-safe. */
final class JobWriter {
    /** A job stands in weir.requests by then: giving up early would leave it half-accepted. */
    static final int ACCEPTED_TRIES = 3;

    private static final int ACCEPTED_RECORD_BYTES = 512;
    private static final Logger LOG = LoggerFactory.getLogger(JobWriter.class);

    private final KafkaWriter kafka;

    JobWriter(KafkaWriter kafka) {
        this.kafka = kafka;
    }

    /** Takes room for one job; null when there is none. The caller gives it back by closing it. */
    KafkaWriter.@Nullable Room room(int recordBytes) {
        return kafka.room(recordBytes + ACCEPTED_RECORD_BYTES);
    }

    /** Completes when both records are acknowledged; fails with {@link KafkaWriter.NotWritten} otherwise. */
    CompletableFuture<Void> write(JobRequest job, byte[] value) {
        if (!kafka.reachesKafka()) {
            return CompletableFuture.failedFuture(new KafkaWriter.NotWritten(
                    "Kafka has not been reached yet; the job was not taken, send it again", null));
        }
        return kafka.send(new ProducerRecord<>(Topics.REQUESTS, job.upstream(), value))
                .exceptionallyCompose(failure -> {
                    LOG.warn(
                            "job {} for {} was answered 503: Kafka did not confirm it in {}: {}",
                            job.id(),
                            job.upstream(),
                            Topics.REQUESTS,
                            failure.getMessage());
                    return CompletableFuture.failedFuture(new KafkaWriter.NotWritten(
                            "Kafka did not confirm the job; it is not accepted, send it again (with an Idempotency-Key it"
                                    + " can never become two)",
                            failure));
                })
                .thenCompose(done -> accepted(job, 1))
                .thenRun(kafka::succeeded);
    }

    private CompletableFuture<RecordMetadata> accepted(JobRequest job, int tryNumber) {
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
                    if (tryNumber < ACCEPTED_TRIES) {
                        return accepted(job, tryNumber + 1);
                    }
                    LOG.error(
                            "job {} for {} stands in {} and will be carried out, but {} did not take it in {} tries: its"
                                    + " client was answered 503: {}",
                            job.id(),
                            job.upstream(),
                            Topics.REQUESTS,
                            Topics.ACCEPTED,
                            ACCEPTED_TRIES,
                            failure.getMessage());
                    return CompletableFuture.failedFuture(new KafkaWriter.NotWritten(
                            "Kafka failed half-way: job " + job.id()
                                    + " may be carried out all the same; look at /v1/jobs/" + job.id()
                                    + " before sending it again",
                            failure));
                });
    }
}
