package dev.weir.contracts.kafka;

import dev.weir.contracts.wire.Forecast;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The newest forecast of every upstream, read from the whole of {@code weir.forecasts} by a thread of its own, in no group:
 * every ingress and status instance has all of them. Thread-safe.
 */
public final class Forecasts implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Forecasts.class);
    private static final Duration POLL = Duration.ofMillis(500);
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);

    private final Map<String, Forecast> newest = new ConcurrentHashMap<>();
    private final KafkaConsumer<String, byte[]> consumer;
    private final Thread reader;
    private volatile boolean closing;

    public Forecasts(KafkaSettings kafka) {
        Map<String, Object> settings = kafka.common();
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        reader = new Thread(this::read, "forecasts");
        reader.setDaemon(true);
        reader.start();
    }

    /** The newest forecast of an upstream, or null while none is known. */
    public @Nullable Forecast of(String upstream) {
        return newest.get(upstream);
    }

    private void read() {
        boolean assigned = false;
        while (!closing) {
            try {
                if (!assigned) {
                    List<TopicPartition> all = partitions();
                    consumer.assign(all);
                    consumer.seekToBeginning(all);
                    assigned = !all.isEmpty();
                }
                for (ConsumerRecord<String, byte[]> record : consumer.poll(POLL)) {
                    take(record);
                }
            } catch (WakeupException | InterruptException e) {
                // closing
            } catch (RuntimeException e) {
                LOG.warn("reading {} failed, trying again: {}", Topics.FORECASTS, e.getMessage());
                pause();
            }
        }
        consumer.close();
    }

    private List<TopicPartition> partitions() {
        List<PartitionInfo> infos = consumer.partitionsFor(Topics.FORECASTS);
        return infos.stream()
                .map(info -> new TopicPartition(info.topic(), info.partition()))
                .toList();
    }

    private void take(ConsumerRecord<String, byte[]> record) {
        if (record.value() == null) {
            newest.remove(record.key());
            return;
        }
        try {
            newest.put(record.key(), Json.read(record.value(), Forecast.class));
        } catch (SerializationException e) {
            LOG.warn(
                    "the forecast at {}-{}@{} cannot be read and is passed over: {}",
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    e.getMessage());
        }
    }

    private void pause() {
        try {
            Thread.sleep(RETRY_PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        closing = true;
        consumer.wakeup();
        try {
            reader.join(5000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
