package dev.weir.contracts.kafka;

import dev.weir.contracts.wire.UpstreamRecord;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Changes {@code weir.upstreams} so that no process overwrites what another has just written. All of Weir shares one
 * transactional id: who begins a change fences those who have begun one, reads what is in force, and writes; who is fenced
 * begins again with what was written meanwhile. Thread-safe; blocks its caller.
 */
public final class UpstreamsWriter {
    static final String TRANSACTIONAL_ID = "weir-upstreams";
    /** Of one change, when others write at the same time. */
    static final int MAX_TURNS = 8;
    /** Before each further turn, by chance up to this, so that two that fence each other part. */
    static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    /** For each of Kafka's answers. */
    static final Duration PATIENCE = Duration.ofSeconds(5);

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(10);
    private static final int MAX_CAUSES = 20;

    private final KafkaSettings kafka;

    /** Why a change was not made, for a person: what to do is in it. */
    public static final class NotWrittenException extends Exception {
        NotWrittenException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    public UpstreamsWriter(KafkaSettings kafka) {
        this.kafka = kafka;
    }

    /**
     * Makes one change.
     *
     * @param change what to write by name, null to take an upstream away, of what is in force by name; nothing when it is empty.
     *     It is asked again for each turn
     * @return the offset of each record that was written
     */
    public Map<String, Long> write(
            Function<SortedMap<String, UpstreamRecord>, Map<String, @Nullable UpstreamRecord>> change)
            throws NotWrittenException, InterruptedException {
        for (int turn = 1; turn <= MAX_TURNS; turn++) {
            try {
                return turn(change);
            } catch (KafkaException e) {
                if (!isFenced(e)) {
                    throw new NotWrittenException(
                            "Kafka cannot be written to right now; nothing was changed, send it again: "
                                    + e.getMessage(),
                            e);
                }
                Thread.sleep(ThreadLocalRandom.current().nextLong(LONGEST_PAUSE.toMillis()));
            }
        }
        throw new NotWrittenException(
                "others changed upstreams at the same time, " + MAX_TURNS
                        + " times over; nothing was changed, send it again",
                null);
    }

    private Map<String, Long> turn(
            Function<SortedMap<String, UpstreamRecord>, Map<String, @Nullable UpstreamRecord>> change)
            throws NotWrittenException, InterruptedException {
        KafkaProducer<String, byte[]> producer = producer();
        try {
            producer.initTransactions();
            Map<String, @Nullable UpstreamRecord> records = change.apply(inForce());
            if (records.isEmpty()) {
                return Map.of();
            }
            Map<String, Future<RecordMetadata>> sent = new LinkedHashMap<>();
            producer.beginTransaction();
            records.forEach((name, record) -> sent.put(
                    name,
                    producer.send(
                            new ProducerRecord<>(Topics.UPSTREAMS, name, record == null ? null : Json.bytes(record)))));
            return committed(producer, sent);
        } finally {
            // Nothing is left to send, or it was given up.
            producer.close(Duration.ZERO);
        }
    }

    private static Map<String, Long> committed(
            KafkaProducer<String, byte[]> producer, Map<String, Future<RecordMetadata>> sent)
            throws NotWrittenException, InterruptedException {
        try {
            producer.commitTransaction();
            Map<String, Long> offsets = new HashMap<>();
            for (Map.Entry<String, Future<RecordMetadata>> each : sent.entrySet()) {
                offsets.put(each.getKey(), each.getValue().get().offset());
            }
            return offsets;
        } catch (KafkaException | ExecutionException e) {
            if (e instanceof KafkaException failure && isFenced(failure)) {
                throw failure;
            }
            throw new NotWrittenException(
                    "Kafka did not confirm it; see what is in force before you send it again: " + e.getMessage(), e);
        }
    }

    /** All that was committed before this process fenced the others. */
    private SortedMap<String, UpstreamRecord> inForce() throws InterruptedException {
        try (CompactedTopic<UpstreamRecord> topic = CompactedTopic.upstreams(kafka)) {
            topic.start();
            if (!topic.awaitRead(PATIENCE)) {
                throw new KafkaException(Topics.UPSTREAMS + " could not be read within " + PATIENCE);
            }
            return topic.all();
        }
    }

    private KafkaProducer<String, byte[]> producer() {
        Map<String, Object> settings = kafka.producer();
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, TRANSACTIONAL_ID);
        settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, (int) TRANSACTION_TIMEOUT.toMillis());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, PATIENCE.toMillis());
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) REQUEST_TIMEOUT.toMillis());
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        return new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    private static boolean isFenced(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < MAX_CAUSES; depth++) {
            if (cause instanceof ProducerFencedException || cause instanceof InvalidProducerEpochException) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }
}
