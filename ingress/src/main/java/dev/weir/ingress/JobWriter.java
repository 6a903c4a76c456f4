package dev.weir.ingress;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.JobRequest;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a job to {@code weir.requests} and, once that is acknowledged, to {@code weir.accepted}. Never blocks the caller on
 * Kafka for longer than {@link #MAX_BLOCK}: it sends only once the topics' metadata is there, and takes no more than fits the
 * producer's memory. Thread-safe.
 */
final class JobWriter implements AutoCloseable {
    static final int MAX_JOBS_IN_FLIGHT = 10_000;
    static final int MAX_BYTES_IN_FLIGHT = 32 * 1024 * 1024;
    /** Twice, because a record a little over half a batch takes a whole one; and one batch for each partition. */
    static final long BUFFER_BYTES = 2L * MAX_BYTES_IN_FLIGHT + 16L * 1024 * 1024;

    static final Duration DELIVERY_TIMEOUT = Duration.ofSeconds(5);
    static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(3);
    static final Duration MAX_BLOCK = Duration.ofMillis(50);
    static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(12);
    static final int LINGER_MS = 2;
    /** A job stands in weir.requests by then: giving up early would leave it half-accepted. */
    static final int ACCEPTED_TRIES = 3;
    /** A failed write shows in readiness for this long; then traffic may find out whether Kafka is back. */
    static final Duration FAILURE_SHOWS_FOR = Duration.ofSeconds(10);

    private static final Duration METADATA_PAUSE_AT_START = Duration.ofMillis(200);
    /** More often than the producer forgets the metadata of a topic that nobody writes to (5 minutes). */
    private static final Duration METADATA_PAUSE = Duration.ofSeconds(20);

    private static final int ACCEPTED_RECORD_BYTES = 512;
    private static final Logger LOG = LoggerFactory.getLogger(JobWriter.class);

    private final KafkaProducer<String, byte[]> producer;
    private final InstantSource clock;
    private final Semaphore jobs = new Semaphore(MAX_JOBS_IN_FLIGHT);
    private final Semaphore bytes = new Semaphore(MAX_BYTES_IN_FLIGHT);
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Thread metadata;
    private volatile boolean metadataKnown;
    private volatile @Nullable Failure lastFailure;

    private record Failure(Instant at, String reason) {}

    /** Why a job was not written, for the client. */
    static final class NotWritten extends Exception {
        NotWritten(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    JobWriter(KafkaSettings kafka, InstantSource clock) {
        this.clock = clock;
        Map<String, Object> settings = kafka.producer();
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, "weir-ingress-" + kafka.instance());
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) DELIVERY_TIMEOUT.toMillis());
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) REQUEST_TIMEOUT.toMillis());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, MAX_BLOCK.toMillis());
        settings.put(ProducerConfig.LINGER_MS_CONFIG, LINGER_MS);
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER_BYTES);
        producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
        metadata = new Thread(this::keepMetadata, "ingress-metadata");
        metadata.setDaemon(true);
        metadata.start();
    }

    /** Takes room for one job; null when there is none. The caller gives it back by closing it. */
    @Nullable
    Room room(int recordBytes) {
        int needed = Math.min(recordBytes + ACCEPTED_RECORD_BYTES, MAX_BYTES_IN_FLIGHT);
        if (closing.getCount() == 0 || !jobs.tryAcquire()) {
            return null;
        }
        if (!bytes.tryAcquire(needed)) {
            jobs.release();
            return null;
        }
        return new Room(needed);
    }

    /** Room that one job takes until it is written. */
    final class Room implements AutoCloseable {
        private final int taken;

        private Room(int taken) {
            this.taken = taken;
        }

        @Override
        public void close() {
            bytes.release(taken);
            jobs.release();
        }
    }

    /** Completes when both records are acknowledged; fails with {@link NotWritten} otherwise. */
    CompletableFuture<Void> write(JobRequest job, byte[] value) {
        if (!metadataKnown) {
            return CompletableFuture.failedFuture(
                    new NotWritten("Kafka has not been reached yet; the job was not taken, send it again", null));
        }
        return send(new ProducerRecord<>(Topics.REQUESTS, job.upstream(), value))
                .exceptionallyCompose(failure -> {
                    failed(failure);
                    LOG.warn(
                            "job {} for {} was answered 503: Kafka did not confirm it in {}: {}",
                            job.id(),
                            job.upstream(),
                            Topics.REQUESTS,
                            failure.getMessage());
                    return CompletableFuture.failedFuture(new NotWritten(
                            "Kafka did not confirm the job; it is not accepted, send it again (with an Idempotency-Key it"
                                    + " can never become two)",
                            failure));
                })
                .thenCompose(done -> accepted(job, 1))
                .thenRun(() -> lastFailure = null);
    }

    private CompletableFuture<Void> accepted(JobRequest job, int tryNumber) {
        Accepted accepted = new Accepted(
                Accepted.VERSION,
                job.id(),
                job.tenant(),
                job.upstream(),
                job.priority(),
                job.notBefore(),
                job.acceptedAt(),
                job.bodyHash());
        return send(new ProducerRecord<>(Topics.ACCEPTED, job.id(), Json.bytes(accepted)))
                .exceptionallyCompose(failure -> {
                    failed(failure);
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
                    return CompletableFuture.failedFuture(new NotWritten(
                            "Kafka failed half-way: job " + job.id()
                                    + " may be carried out all the same; look at /v1/jobs/" + job.id()
                                    + " before sending it again",
                            failure));
                });
    }

    private CompletableFuture<Void> send(ProducerRecord<String, byte[]> record) {
        CompletableFuture<Void> sent = new CompletableFuture<>();
        try {
            var unused = producer.send(record, (at, failure) -> {
                if (failure == null) {
                    sent.complete(null);
                } else {
                    sent.completeExceptionally(failure);
                }
            });
        } catch (KafkaException | IllegalStateException e) {
            sent.completeExceptionally(e);
        }
        return sent;
    }

    private void failed(Throwable failure) {
        lastFailure = new Failure(clock.instant(), String.valueOf(failure.getMessage()));
    }

    /** Why jobs cannot be written now; null when they can. */
    @Nullable
    String notReady() {
        if (closing.getCount() == 0) {
            return "shutting down";
        }
        Failure failure = lastFailure;
        if (!metadataKnown) {
            return "Kafka does not tell about " + Topics.REQUESTS + " and " + Topics.ACCEPTED + " yet"
                    + (failure == null ? "" : ": " + failure.reason());
        }
        return failure == null || failure.at().plus(FAILURE_SHOWS_FOR).isBefore(clock.instant())
                ? null
                : "Kafka did not take the last job: " + failure.reason();
    }

    /** Has the topics' metadata at hand at all times, so that no send waits for it. */
    private void keepMetadata() {
        try {
            do {
                try {
                    producer.partitionsFor(Topics.REQUESTS);
                    producer.partitionsFor(Topics.ACCEPTED);
                    if (!metadataKnown) {
                        lastFailure = null;
                        metadataKnown = true;
                    }
                } catch (KafkaException e) {
                    if (!metadataKnown) {
                        failed(e);
                    }
                    LOG.debug("no metadata: {}", e.getMessage());
                }
            } while (!closing.await(
                    (metadataKnown ? METADATA_PAUSE : METADATA_PAUSE_AT_START).toMillis(), TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IllegalStateException e) {
            LOG.debug("the producer was closed: {}", e.getMessage());
        }
    }

    /** Takes no more jobs, waits for those under way, and closes. */
    @Override
    public void close() {
        closing.countDown();
        try {
            if (!jobs.tryAcquire(MAX_JOBS_IN_FLIGHT, CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn(
                        "{} jobs were still unconfirmed by Kafka after {}; their clients were not told that they are taken",
                        MAX_JOBS_IN_FLIGHT - jobs.availablePermits(),
                        CLOSE_TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        producer.close(DELIVERY_TIMEOUT);
    }
}
