package dev.weir.benchmarks;

import dev.weir.contracts.kafka.KafkaSettings;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Writes what is to be there before a measurement; all of it is, once it is closed. */
final class Feed implements AutoCloseable {
    private static final int LINGER_MS = 20;
    private static final int BATCH_BYTES = 256 * 1024;

    private final KafkaProducer<String, byte[]> producer;
    private final AtomicReference<Exception> failure = new AtomicReference<>();

    Feed(KafkaSettings kafka) {
        Map<String, Object> settings = kafka.producer();
        settings.put(ProducerConfig.LINGER_MS_CONFIG, LINGER_MS);
        // A topic that was just created may refuse the first batch and take the second: then the first never fits
        // again.
        settings.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        settings.put(ProducerConfig.BATCH_SIZE_CONFIG, BATCH_BYTES);
        producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    void send(String topic, String key, byte[] value) {
        Future<RecordMetadata> unused = producer.send(new ProducerRecord<>(topic, key, value), (metadata, e) -> {
            if (e != null) {
                failure.compareAndSet(null, e);
            }
        });
    }

    @Override
    public void close() {
        producer.close();
        Exception e = failure.get();
        if (e != null) {
            throw new IllegalStateException("the broker did not take every record", e);
        }
    }
}
