package dev.weir.contracts.kafka;

import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.UpstreamRecord;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
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
 * The newest record of each key of a compacted topic, read from the whole of it by a thread of its own, in no group: every
 * process that has one knows all of them. What cannot be read is passed over, and what was before it stands. Thread-safe;
 * {@link #start()} at most once.
 */
public final class CompactedTopic<T> implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CompactedTopic.class);
    private static final Duration POLL = Duration.ofMillis(500);
    /** Shorter until all is read once, for someone waits for that. */
    private static final Duration FIRST_POLL = Duration.ofMillis(50);

    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final KafkaSettings kafka;
    private final String topic;
    private final Reader<T> reader;
    private final Map<String, Entry<T>> newest = new ConcurrentHashMap<>();
    private final CountDownLatch readOnce = new CountDownLatch(1);
    private volatile boolean closing;
    private @Nullable KafkaConsumer<String, byte[]> consumer;
    private @Nullable Thread thread;

    /** Makes a record of its bytes. */
    public interface Reader<T> {
        /** @throws SerializationException when they are none */
        T read(String key, byte[] value);
    }

    /** A tombstone stays as one, so that what came before it cannot come back. */
    private record Entry<T>(long offset, @Nullable T value) {}

    public CompactedTopic(KafkaSettings kafka, String topic, Reader<T> reader) {
        this.kafka = kafka;
        this.topic = topic;
        this.reader = reader;
    }

    /** {@code weir.forecasts}, by upstream. */
    public static CompactedTopic<Forecast> forecasts(KafkaSettings kafka) {
        return new CompactedTopic<>(kafka, Topics.FORECASTS, (key, value) -> Json.read(value, Forecast.class));
    }

    /** {@code weir.upstreams}, by upstream. */
    public static CompactedTopic<UpstreamRecord> upstreams(KafkaSettings kafka) {
        return new CompactedTopic<>(kafka, Topics.UPSTREAMS, (key, value) -> {
            UpstreamRecord record = Json.read(value, UpstreamRecord.class);
            if (!record.name().equals(key)) {
                throw new SerializationException("its key is " + key + ", but it is of " + record.name());
            }
            return record;
        });
    }

    /** Begins to read. Without it nothing is known but what {@link #wrote} said. */
    public synchronized void start() {
        Map<String, Object> settings = kafka.common();
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        KafkaConsumer<String, byte[]> opened =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        Thread reading = new Thread(() -> read(opened), topic);
        reading.setDaemon(true);
        reading.start();
        consumer = opened;
        thread = reading;
    }

    /** The newest record of a key; null when there is none, or none is known yet. */
    public @Nullable T of(String key) {
        Entry<T> entry = newest.get(key);
        return entry == null ? null : entry.value();
    }

    /** The newest record of every key. */
    public SortedMap<String, T> all() {
        SortedMap<String, T> all = new TreeMap<>();
        newest.forEach((key, entry) -> {
            T value = entry.value();
            if (value != null) {
                all.put(key, value);
            }
        });
        return all;
    }

    /** Takes in what this process has written, at once, so that its next look sees it. */
    public void wrote(String key, @Nullable T value, long offset) {
        newest.merge(
                key,
                new Entry<>(offset, value),
                (known, written) -> written.offset() >= known.offset() ? written : known);
    }

    /** Null once everything that was there at the start has been read, else why not. */
    public @Nullable String notReady() {
        return readOnce.getCount() == 0 ? null : topic + " has not been read to its end yet";
    }

    /** Waits until everything that was there at the start has been read; false when that took too long. */
    public boolean awaitRead(Duration patience) throws InterruptedException {
        return readOnce.await(patience.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void read(KafkaConsumer<String, byte[]> from) {
        Map<TopicPartition, Long> ends = Map.of();
        while (!closing) {
            try {
                if (ends.isEmpty()) {
                    List<TopicPartition> all = from.partitionsFor(topic).stream()
                            .map(info -> new TopicPartition(info.topic(), info.partition()))
                            .toList();
                    from.assign(all);
                    from.seekToBeginning(all);
                    ends = from.endOffsets(all);
                }
                boolean first = readOnce.getCount() > 0;
                from.poll(first ? FIRST_POLL : POLL).forEach(this::take);
                if (first
                        && !ends.isEmpty()
                        && ends.entrySet().stream().allMatch(end -> from.position(end.getKey()) >= end.getValue())) {
                    readOnce.countDown();
                }
            } catch (WakeupException | InterruptException e) {
                // closing
            } catch (RuntimeException e) {
                LOG.warn("reading {} failed, trying again: {}", topic, e.getMessage());
                pause();
            }
        }
        from.close();
    }

    private void take(ConsumerRecord<String, byte[]> record) {
        try {
            byte[] value = record.value();
            wrote(record.key(), value == null ? null : reader.read(record.key(), value), record.offset());
        } catch (SerializationException e) {
            LOG.warn(
                    "the record at {}-{}@{} cannot be read and is passed over: {}",
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    e.getMessage());
        }
    }

    private static void pause() {
        try {
            Thread.sleep(RETRY_PAUSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public synchronized void close() {
        closing = true;
        if (consumer == null || thread == null) {
            return;
        }
        consumer.wakeup();
        try {
            thread.join(CLOSE_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
