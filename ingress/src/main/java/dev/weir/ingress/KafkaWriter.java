package dev.weir.ingress;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes records to Kafka, and tells when they are durable. Never blocks the caller for longer than {@link #MAX_BLOCK}: it
 * sends only once the topics' metadata is there, and takes no more than fits the producer's memory. Thread-safe.
 */
final class KafkaWriter implements AutoCloseable {
    static final int MAX_IN_FLIGHT = 10_000;
    static final int MAX_BYTES_IN_FLIGHT = 32 * 1024 * 1024;
    /** Twice, because a record a little over half a batch takes a whole one; and one batch for each partition. */
    static final long BUFFER_BYTES = 2L * MAX_BYTES_IN_FLIGHT + 16L * 1024 * 1024;

    static final Duration DELIVERY_TIMEOUT = Duration.ofSeconds(5);
    static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(3);
    static final Duration MAX_BLOCK = Duration.ofMillis(50);
    static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(12);
    /** Under load batches fill up while others are on their way; without load nobody waits for company. */
    static final int LINGER_MS = 0;
    /**
     * To each broker, on its way: what comes meanwhile goes together in the next one. More of them would be many small ones,
     * each of which costs producer and broker as much as a large one.
     */
    static final int REQUESTS_IN_FLIGHT = 1;
    /** Of one partition, in one request. */
    static final int BATCH_BYTES = 128 * 1024;

    /** A failed write shows in readiness for this long; then traffic may find out whether Kafka is back. */
    static final Duration FAILURE_SHOWS_FOR = Duration.ofSeconds(10);

    private static final Duration METADATA_PAUSE_WITHOUT = Duration.ofMillis(200);
    /** More often than the producer forgets the metadata of a topic that nobody writes to (5 minutes). */
    private static final Duration METADATA_PAUSE = Duration.ofSeconds(20);

    private static final List<String> TOPICS = List.of(Topics.REQUESTS, Topics.ACCEPTED);
    private static final Logger LOG = LoggerFactory.getLogger(KafkaWriter.class);

    private final KafkaProducer<String, byte[]> producer;
    private final InstantSource clock;
    private final Semaphore rooms = new Semaphore(MAX_IN_FLIGHT);
    private final Semaphore bytes = new Semaphore(MAX_BYTES_IN_FLIGHT);
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Semaphore wake = new Semaphore(0);
    private final Thread metadata;
    private volatile boolean metadataKnown;
    private volatile @Nullable Failure lastFailure;

    private record Failure(Instant at, String reason) {}

    /** Why something was not written, for the client. */
    static final class NotWritten extends Exception {
        NotWritten(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    KafkaWriter(KafkaSettings kafka, InstantSource clock) {
        this.clock = clock;
        Map<String, Object> settings = kafka.producer();
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, "weir-ingress-" + kafka.instance());
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) DELIVERY_TIMEOUT.toMillis());
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) REQUEST_TIMEOUT.toMillis());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, MAX_BLOCK.toMillis());
        settings.put(ProducerConfig.LINGER_MS_CONFIG, LINGER_MS);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, BATCH_BYTES);
        settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, REQUESTS_IN_FLIGHT);
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER_BYTES);
        producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
        metadata = new Thread(this::keepMetadata, "ingress-metadata");
        metadata.setDaemon(true);
        metadata.start();
    }

    /** Takes room for records of so many bytes; null when there is none. The caller gives it back by closing it. */
    @Nullable
    Room room(int recordBytes) {
        int needed = Math.min(recordBytes, MAX_BYTES_IN_FLIGHT);
        if (closing.getCount() == 0 || !rooms.tryAcquire()) {
            return null;
        }
        if (!bytes.tryAcquire(needed)) {
            rooms.release();
            return null;
        }
        return new Room(needed);
    }

    /** Room that records take until they are written. */
    final class Room implements AutoCloseable {
        private final int taken;

        private Room(int taken) {
            this.taken = taken;
        }

        @Override
        public void close() {
            bytes.release(taken);
            rooms.release();
        }
    }

    /** Whether the topics are known, so that a send does not wait for them. */
    boolean reachesKafka() {
        return metadataKnown;
    }

    /** Completes with the record's place once Kafka has it; fails with what Kafka said otherwise. */
    CompletableFuture<RecordMetadata> send(ProducerRecord<String, byte[]> record) {
        CompletableFuture<RecordMetadata> sent = new CompletableFuture<>();
        boolean known = metadataKnown;
        try {
            var unused = producer.send(record, (at, failure) -> {
                if (failure == null) {
                    sent.complete(at);
                } else {
                    failed(failure);
                    sent.completeExceptionally(failure);
                }
            });
        } catch (KafkaException | IllegalStateException e) {
            failed(e);
            sent.completeExceptionally(e);
        }
        if (known && sent.isCompletedExceptionally()) {
            // Not even begun: the producer has forgotten the topics, as it does when no broker answers. Nobody waits
            // for
            // them from now on but the thread that does nothing else.
            metadataKnown = false;
            wake.release();
        }
        return sent;
    }

    /** Completes once Kafka has a record that stands for itself; fails with {@link NotWritten} otherwise. */
    CompletableFuture<RecordMetadata> write(ProducerRecord<String, byte[]> record) {
        Room room = metadataKnown ? room(record.value().length) : null;
        if (room == null) {
            return CompletableFuture.failedFuture(new NotWritten(
                    "Kafka cannot be written to right now, or this ingress is shutting down; nothing was changed, send it"
                            + " again",
                    null));
        }
        return send(record).handle((at, failure) -> {
            room.close();
            if (failure == null) {
                succeeded();
                return at;
            }
            LOG.warn("Kafka did not confirm a record for {}: {}", record.topic(), failure.getMessage());
            throw new CompletionException(
                    new NotWritten("Kafka did not confirm it; see what is in force before you send it again", failure));
        });
    }

    /** What was sent has come through as a whole: earlier failures are over. */
    void succeeded() {
        lastFailure = null;
    }

    private void failed(Throwable failure) {
        lastFailure = new Failure(clock.instant(), String.valueOf(failure.getMessage()));
    }

    /** Why nothing can be written now; null when it can. */
    @Nullable
    String notReady() {
        if (closing.getCount() == 0) {
            return "shutting down";
        }
        Failure failure = lastFailure;
        if (!metadataKnown) {
            return "Kafka does not tell about " + String.join(", ", TOPICS) + " yet"
                    + (failure == null ? "" : ": " + failure.reason());
        }
        return failure == null || failure.at().plus(FAILURE_SHOWS_FOR).isBefore(clock.instant())
                ? null
                : "Kafka did not take the last record: " + failure.reason();
    }

    /** Has the topics' metadata at hand at all times, so that no send waits for it. */
    private void keepMetadata() {
        try {
            do {
                try {
                    TOPICS.forEach(producer::partitionsFor);
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
                boolean woken = wake.tryAcquire(
                        (metadataKnown ? METADATA_PAUSE : METADATA_PAUSE_WITHOUT).toMillis(), TimeUnit.MILLISECONDS);
                if (woken) {
                    wake.drainPermits();
                }
            } while (closing.getCount() > 0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IllegalStateException e) {
            LOG.debug("the producer was closed: {}", e.getMessage());
        }
    }

    /** Takes no more, waits for what is under way, and closes. */
    @Override
    public void close() {
        closing.countDown();
        wake.release();
        try {
            if (!rooms.tryAcquire(MAX_IN_FLIGHT, CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn(
                        "{} requests were still unconfirmed by Kafka after {}; their clients were not told that they are taken",
                        MAX_IN_FLIGHT - rooms.availablePermits(),
                        CLOSE_TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        producer.close(DELIVERY_TIMEOUT);
    }
}
