package dev.weir.status;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/** Writes what an ingress and a throttler tell of their jobs. */
final class JobTopics {
    private static final Instant T0 = Instant.parse("2026-11-22T10:00:00Z");
    private static final int PATIENCE_SECONDS = 30;

    private JobTopics() {}

    static KafkaProducer<String, byte[]> producer(KafkaSettings kafka, @Nullable String transactionalId) {
        Map<String, Object> settings = kafka.producer();
        if (transactionalId != null) {
            settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
        }
        return new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    /** There when this returns. */
    static void accept(KafkaProducer<String, byte[]> producer, String id) throws Exception {
        byte[] accepted = Json.bytes(new Accepted(1, id, "local", "gemini", Priority.NORMAL, null, T0, "hash", 1));
        producer.send(new ProducerRecord<>(Topics.ACCEPTED, id, accepted)).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    /** On its way when this returns. */
    static void tell(KafkaProducer<String, byte[]> producer, String id, JobStatus status, long revision) {
        JobEvent event = new JobEvent(
                JobEvent.VERSION,
                id,
                "local",
                "gemini",
                status,
                revision,
                1,
                Priority.NORMAL,
                null,
                null,
                null,
                T0,
                T0.plusSeconds(revision),
                null,
                status.finished() ? T0.plusSeconds(revision) : null,
                null,
                false,
                "hash",
                null,
                1,
                null);
        var unused = producer.send(new ProducerRecord<>(Topics.JOB_EVENTS, id, Json.bytes(event)));
    }
}
