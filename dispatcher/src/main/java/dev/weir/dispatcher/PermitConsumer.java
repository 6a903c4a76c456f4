package dev.weir.dispatcher;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes permits from {@code weir.dispatch} as a member of a share group, on one thread. A permit is passed on only once the
 * broker has confirmed that it is taken: it is never delivered again then, and one that is delivered again was never called.
 * What is not known to be taken is not used; the broker delivers it to somebody, or the throttle finds its job in doubt.
 *
 * <p>The module's README says why it is a share group.
 */
final class PermitConsumer implements AutoCloseable {
    /** How long Kafka may stay silent before this dispatcher counts as not ready. */
    static final Duration SILENCE = Duration.ofSeconds(15);

    /**
     * A late permit is handed back only as long as the throttle still waits for its outcome: so long after the call's own
     * timeout. One that is older was passed over by everybody, or was used and is read again after somebody set the group's
     * offsets back; handing that back would give back a cost that was truly spent.
     */
    static final Duration HAND_BACK_WITHIN = Duration.ofSeconds(10);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration CONFIRM_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration FIRST_RESTART_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_RESTART_PAUSE = Duration.ofSeconds(30);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(8);
    private static final int MAX_POLL_RECORDS = 200;
    private static final int FETCH_MAX_BYTES = 16 * 1024 * 1024;
    private static final String METRICS = "consumer-share";
    private static final Logger LOG = LoggerFactory.getLogger(PermitConsumer.class);

    private final KafkaSettings kafka;
    private final InstantSource clock;
    private final BooleanSupplier mayTake;
    private final Consumer<Held> taken;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);

    private volatile boolean joined;
    private volatile long silentSeconds;
    private volatile @Nullable String broken;

    /**
     * @param mayTake asked before each poll; while it is false nothing is asked for, and others get the permits
     * @param taken gets each permit that is this process's own from now on
     */
    PermitConsumer(KafkaSettings kafka, InstantSource clock, BooleanSupplier mayTake, Consumer<Held> taken) {
        this.kafka = kafka;
        this.clock = clock;
        this.mayTake = mayTake;
        this.taken = taken;
        thread = new Thread(this::run, "permits");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    @Nullable
    String notReady() {
        if (closing.getCount() == 0) {
            return "shutting down";
        }
        String reason = broken;
        if (reason != null) {
            return reason;
        }
        if (!joined) {
            return "has not joined the dispatchers of " + Topics.DISPATCH + " yet";
        }
        long silent = silentSeconds;
        return silent > SILENCE.toSeconds()
                ? "has been in no touch with Kafka for " + silent + " s; is the broker up?"
                : null;
    }

    private void run() {
        Duration pause = FIRST_RESTART_PAUSE;
        while (closing.getCount() > 0) {
            long startedNanos = System.nanoTime();
            try {
                consume();
            } catch (RuntimeException e) {
                joined = false;
                broken = "reading " + Topics.DISPATCH + " failed: " + e.getMessage();
                if (Duration.ofNanos(System.nanoTime() - startedNanos).compareTo(LONGEST_RESTART_PAUSE) > 0) {
                    pause = FIRST_RESTART_PAUSE;
                }
                LOG.error("reading {} failed; no permit is lost, starting over in {}", Topics.DISPATCH, pause, e);
                if (await(pause)) {
                    return;
                }
                Duration doubled = pause.multipliedBy(2);
                pause = doubled.compareTo(LONGEST_RESTART_PAUSE) > 0 ? LONGEST_RESTART_PAUSE : doubled;
            }
        }
    }

    private void consume() {
        PermitGroup.ensure(kafka);
        KafkaShareConsumer<String, byte[]> consumer = consumer();
        try {
            consumer.subscribe(List.of(Topics.DISPATCH));
            while (closing.getCount() > 0) {
                cycle(consumer);
                look(consumer);
            }
        } finally {
            consumer.close(CLOSE_TIMEOUT);
        }
    }

    private KafkaShareConsumer<String, byte[]> consumer() {
        Map<String, Object> settings = kafka.common();
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, PermitGroup.NAME);
        settings.put(ConsumerConfig.CLIENT_ID_CONFIG, PermitGroup.NAME + "-" + kafka.instance());
        settings.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, "explicit");
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, MAX_POLL_RECORDS);
        settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_MAX_BYTES);
        settings.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, 1);
        return new KafkaShareConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    private void cycle(KafkaShareConsumer<String, byte[]> consumer) {
        if (joined && !mayTake.getAsBoolean()) {
            // Nothing is asked for, so nothing is delivered here; the membership lives on by itself.
            await(POLL);
            return;
        }
        ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
        broken = null;
        if (records.isEmpty()) {
            return;
        }
        if (!mayTake.getAsBoolean()) {
            records.forEach(record -> consumer.acknowledge(record, AcknowledgeType.RELEASE));
            consumer.commitAsync();
            return;
        }
        int passedOver = 0;
        for (ConsumerRecord<String, byte[]> record : confirmed(consumer, records)) {
            Permit permit = parse(record);
            if (permit == null) {
                continue;
            }
            if (clock.instant().isBefore(handBackUntil(permit))) {
                taken.accept(new Held(permit, record.value().length));
            } else {
                passedOver++;
            }
        }
        if (passedOver > 0) {
            LOG.warn(
                    "{} permits are long over; they may have been used by somebody, so they are not handed back and their"
                            + " cost stays spent. Their jobs get new ones. Was nobody dispatching, or were the offsets of"
                            + " the group {} set back?",
                    passedOver,
                    PermitGroup.NAME);
        }
    }

    private static Instant handBackUntil(Permit permit) {
        return permit.expiresAt().plusMillis(permit.timeoutMs()).plus(HAND_BACK_WITHIN);
    }

    /** Takes these; those that the broker has confirmed are this process's own from now on, and no others. */
    private static List<ConsumerRecord<String, byte[]>> confirmed(
            KafkaShareConsumer<String, byte[]> consumer, ConsumerRecords<String, byte[]> records) {
        records.forEach(record -> consumer.acknowledge(record, AcknowledgeType.ACCEPT));
        Map<TopicIdPartition, Optional<KafkaException>> results = consumer.commitSync(CONFIRM_TIMEOUT);
        List<ConsumerRecord<String, byte[]>> confirmed = new ArrayList<>();
        results.forEach((partition, failure) -> {
            List<ConsumerRecord<String, byte[]>> of = records.records(partition.topicPartition());
            if (failure.isEmpty()) {
                confirmed.addAll(of);
            } else {
                LOG.warn(
                        "{} permits are not used: Kafka did not confirm that they are taken ({}); they go to another"
                                + " dispatcher, or the throttle finds their jobs in doubt",
                        of.size(),
                        failure.get().getMessage());
            }
        });
        return confirmed;
    }

    /** What the membership's own metrics tell. */
    private void look(KafkaShareConsumer<String, byte[]> consumer) {
        // A member may be in the group for seconds before it has a partition; only then it fetches.
        joined = joined || metric(consumer, "fetch-total") > 0;
        silentSeconds = (long) metric(consumer, "last-heartbeat-seconds-ago");
    }

    private static double metric(KafkaShareConsumer<String, byte[]> consumer, String name) {
        for (Map.Entry<MetricName, ? extends Metric> metric : consumer.metrics().entrySet()) {
            if (metric.getKey().name().equals(name)
                    && metric.getKey().group().startsWith(METRICS)
                    && metric.getValue().metricValue() instanceof Double value) {
                return value;
            }
        }
        return 0;
    }

    private static @Nullable Permit parse(ConsumerRecord<String, byte[]> record) {
        String why;
        try {
            if (record.value() != null) {
                Permit permit = Json.read(record.value(), Permit.class);
                if (Stream.of(permit.jobId(), permit.upstream(), permit.slot(), permit.expiresAt(), permit.request())
                        .allMatch(Objects::nonNull)) {
                    return permit;
                }
                why = "a field is missing";
            } else {
                why = "it is empty";
            }
        } catch (SerializationException e) {
            why = String.valueOf(e.getMessage());
        }
        LOG.error(
                "the permit of job {} at {}-{}@{} cannot be read and is passed over; the throttle will find the job in"
                        + " doubt: {}",
                record.key(),
                record.topic(),
                record.partition(),
                record.offset(),
                why);
        return null;
    }

    private boolean await(Duration pause) {
        try {
            return closing.await(pause.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /** Takes no more and leaves; the others get what comes from now on. */
    @Override
    public void close() {
        closing.countDown();
        // No wake-up: it could leave open whether permits are taken, and a poll is short.
        try {
            thread.join(JOIN_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
