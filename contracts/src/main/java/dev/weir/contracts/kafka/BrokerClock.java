package dev.weir.contracts.kafka;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Compares a clock with the broker's: it writes a tombstone to {@code weir.forecasts}, a topic on which the broker stamps
 * each record with its own time. Thread-safe; a measurement blocks its caller, at most {@link #PATIENCE} for each sample.
 */
public final class BrokerClock implements AutoCloseable {
    /** The key of the tombstones; no upstream can have such a name. */
    public static final String KEY = "!clock";

    /** The longest wait for one sample. */
    public static final Duration PATIENCE = Duration.ofSeconds(6);

    /** The quickest of so many samples counts: it is the most exact. */
    public static final int SAMPLES = 3;

    /** A sample as quick as this needs no second one. */
    private static final Duration QUICK = Duration.ofMillis(50);

    private static final Duration DELIVERY_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(4);
    private static final Duration MAX_BLOCK = Duration.ofSeconds(5);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(1);
    /** What our own record says, so that a topic which keeps the sender's time is recognised. */
    private static final long SENDERS_TIME_MS = 0;

    private final KafkaProducer<String, byte[]> producer;
    private final boolean ownBroker;

    public BrokerClock(KafkaSettings kafka) {
        ownBroker = kafka.ownBroker();
        Map<String, Object> settings = kafka.producer();
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) DELIVERY_TIMEOUT.toMillis());
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, (int) REQUEST_TIMEOUT.toMillis());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, MAX_BLOCK.toMillis());
        producer = new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer());
    }

    /**
     * The broker's time less {@code clock}'s: positive when {@code clock} is behind. A record's way takes its time, so the
     * difference is known as a range only; this is the end of it nearest to zero, what is certain.
     *
     * @throws IllegalStateException when the broker did not say in time
     */
    public Duration offset(InstantSource clock) throws InterruptedException {
        if (ownBroker) {
            return Duration.ZERO;
        }
        @Nullable Sample best = null;
        for (int i = 0; i < SAMPLES; i++) {
            Sample sample = sample(clock);
            if (best == null || sample.roundTrip().compareTo(best.roundTrip()) < 0) {
                best = sample;
            }
            if (best.roundTrip().compareTo(QUICK) <= 0) {
                break;
            }
        }
        if (best == null) {
            throw new IllegalStateException("no sample of the broker's clock");
        }
        return best.offset();
    }

    private Sample sample(InstantSource clock) throws InterruptedException {
        try {
            // The first send waits for the topic's metadata; that must not count as the record's way.
            producer.partitionsFor(Topics.FORECASTS);
            Instant before = clock.instant();
            Long sendersTime = SENDERS_TIME_MS;
            long brokerMs = producer.send(
                            new ProducerRecord<String, byte[]>(Topics.FORECASTS, null, sendersTime, KEY, null))
                    .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                    .timestamp();
            Instant after = clock.instant();
            if (brokerMs == SENDERS_TIME_MS) {
                throw new IllegalStateException("the topic " + Topics.FORECASTS
                        + " does not carry the broker's time; set its message.timestamp.type to LogAppendTime");
            }
            return new Sample(before, after, Instant.ofEpochMilli(brokerMs));
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            String reason = e instanceof ExecutionException && e.getCause() != null
                    ? e.getCause().getMessage()
                    : e.getMessage();
            throw new IllegalStateException("the broker did not tell its time within " + PATIENCE + ": " + reason, e);
        }
    }

    @Override
    public void close() {
        producer.close(CLOSE_TIMEOUT);
    }

    /** The broker stamped the record at {@code broker}, to the millisecond, somewhere between before and after. */
    record Sample(Instant before, Instant after, Instant broker) {
        Duration roundTrip() {
            return Duration.between(before, after);
        }

        Duration offset() {
            Duration least = Duration.between(after, broker);
            Duration most = Duration.between(before, broker.plusMillis(1));
            if (!least.isNegative()) {
                return least;
            }
            return most.isNegative() ? most : Duration.ZERO;
        }
    }
}
