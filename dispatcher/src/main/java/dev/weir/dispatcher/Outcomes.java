package dev.weir.dispatcher;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
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
 * Writes outcomes to {@code weir.outcomes}. One that Kafka does not take in time is lost, and said so: the throttle then
 * finds the job in doubt. Thread-safe.
 */
final class Outcomes implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Outcomes.class);
    /** An outcome is worth waiting for: without it a call that was made is made again. */
    private static final Duration DELIVERY_TIMEOUT = Duration.ofMinutes(5);

    /** How long a full buffer or missing metadata may hold up the thread that completes calls. */
    private static final Duration MAX_BLOCK = Duration.ofSeconds(5);

    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final long BUFFER_BYTES = 64L * 1024 * 1024;
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final KafkaProducer<String, byte[]> producer;

    Outcomes(KafkaSettings kafka) {
        Map<String, Object> settings = kafka.producer();
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 2);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) DELIVERY_TIMEOUT.toMillis());
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) REQUEST_TIMEOUT.toMillis());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, MAX_BLOCK.toMillis());
        settings.put(ProducerConfig.BUFFER_MEMORY_CONFIG, BUFFER_BYTES);
        producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    static Outcome of(
            Permit permit,
            Outcome.Kind kind,
            @Nullable Instant startedAt,
            Instant endedAt,
            @Nullable Answer answer,
            @Nullable String error) {
        return new Outcome(
                Outcome.VERSION,
                permit.jobId(),
                permit.tenant(),
                permit.upstream(),
                permit.permit(),
                permit.attempt(),
                kind,
                permit.slot(),
                startedAt,
                endedAt,
                answer,
                error);
    }

    static String tooLate(Permit permit, Instant now) {
        return "the permit was good from " + permit.slot() + " until " + permit.expiresAt() + ", and it is " + now;
    }

    void send(Outcome outcome) {
        try {
            // The callback tells; the future would say the same.
            var unused = producer.send(
                    new ProducerRecord<>(Topics.OUTCOMES, outcome.upstream(), Json.bytes(outcome)), (metadata, e) -> {
                        if (e != null) {
                            lost(outcome, e);
                        }
                    });
        } catch (KafkaException | IllegalStateException e) {
            lost(outcome, e);
        }
    }

    private static void lost(Outcome outcome, Exception e) {
        LOG.error(
                "job {} attempt {} of {}: Kafka did not take the outcome ({}); the throttle will find the job in doubt"
                        + " and may call it again. Is Kafka up? {}",
                outcome.jobId(),
                outcome.attempt(),
                outcome.upstream(),
                outcome.kind(),
                e.getMessage());
    }

    /** Waits for what was sent, within a bound. */
    @Override
    public void close() {
        producer.close(CLOSE_TIMEOUT);
    }
}
