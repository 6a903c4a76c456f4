package dev.weir.dispatcher;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes permits from {@code weir.dispatch}, on one thread. A permit is passed on only once its offset is known to be
 * committed, so that one delivered again was never called. What is not known to be committed is read again, or left to
 * whoever owns the partition by then.
 *
 * <p>Each commit carries a mark. Offsets without it were set by someone else's hand, or were lost: permits that lie before
 * the end of the partition may then have been called already, and a late one is not handed back, for that would give back a
 * cost that was truly spent.
 */
final class PermitConsumer implements AutoCloseable {
    static final String GROUP = "weir-dispatcher";
    /** How long Kafka may stay silent before this dispatcher counts as not ready. */
    static final Duration SILENCE = Duration.ofSeconds(15);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final int COMMIT_ATTEMPTS = 3;
    private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration LOOK_UP_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration FIRST_RESTART_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_RESTART_PAUSE = Duration.ofSeconds(30);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(8);
    private static final int MAX_POLL_RECORDS = 200;
    private static final int FETCH_MAX_BYTES = 16 * 1024 * 1024;
    private static final String MARK = "weir-dispatcher";
    private static final Pattern MARKED = Pattern.compile(MARK + "(?::(\\d{1,18}))?");
    private static final Logger LOG = LoggerFactory.getLogger(PermitConsumer.class);

    private final KafkaSettings kafka;
    private final InstantSource clock;
    private final BooleanSupplier mayTake;
    private final Consumer<Held> taken;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    /** Of the polling thread: below these offsets a permit may have been called under offsets now lost. */
    private final Map<TopicPartition, Long> doubtfulBelow = new HashMap<>();

    private volatile boolean assigned;
    private volatile long lastPollNanos = System.nanoTime();
    private volatile @Nullable String broken;

    /**
     * @param mayTake asked before each poll; false pauses the partitions and keeps the membership
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
        if (!assigned) {
            return "waits for its partitions of " + Topics.DISPATCH;
        }
        Duration silent = Duration.ofNanos(System.nanoTime() - lastPollNanos);
        return silent.compareTo(SILENCE) > 0
                ? "has not polled " + Topics.DISPATCH + " for " + silent.toSeconds() + " s"
                : null;
    }

    private void run() {
        Duration pause = FIRST_RESTART_PAUSE;
        while (closing.getCount() > 0) {
            long startedNanos = System.nanoTime();
            try {
                consume();
            } catch (RuntimeException e) {
                assigned = false;
                broken = "reading " + Topics.DISPATCH + " failed: " + e.getMessage();
                if (Duration.ofNanos(System.nanoTime() - startedNanos).compareTo(LONGEST_RESTART_PAUSE) > 0) {
                    pause = FIRST_RESTART_PAUSE;
                }
                LOG.error(
                        "reading {} failed; no permit is lost, starting over in {}. If it says that the member was fenced,"
                                + " another process runs with the same WEIR_INSTANCE ({})",
                        Topics.DISPATCH,
                        pause,
                        kafka.instance(),
                        e);
                if (await(pause)) {
                    return;
                }
                Duration doubled = pause.multipliedBy(2);
                pause = doubled.compareTo(LONGEST_RESTART_PAUSE) > 0 ? LONGEST_RESTART_PAUSE : doubled;
            }
        }
    }

    private void consume() {
        KafkaConsumer<String, byte[]> consumer = consumer();
        try {
            consumer.subscribe(List.of(Topics.DISPATCH), new Assignment(consumer));
            while (closing.getCount() > 0) {
                cycle(consumer);
            }
        } finally {
            consumer.close(CloseOptions.timeout(CLOSE_TIMEOUT));
        }
    }

    private KafkaConsumer<String, byte[]> consumer() {
        Map<String, Object> settings = kafka.consumer(GROUP);
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, MAX_POLL_RECORDS);
        settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_MAX_BYTES);
        settings.put(ConsumerConfig.FETCH_MIN_BYTES_CONFIG, 1);
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) LOOK_UP_TIMEOUT.toMillis());
        return new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    private void cycle(KafkaConsumer<String, byte[]> consumer) {
        boolean take = mayTake.getAsBoolean();
        if (take) {
            consumer.resume(consumer.paused());
        } else {
            consumer.pause(consumer.assignment());
        }
        ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
        lastPollNanos = System.nanoTime();
        broken = null;
        if (records.isEmpty()) {
            return;
        }
        if (!take || !commit(consumer, records)) {
            rewind(consumer, records);
            return;
        }
        int passedOver = 0;
        for (ConsumerRecord<String, byte[]> record : records) {
            Permit permit = parse(record);
            if (permit == null) {
                continue;
            }
            Long doubtful = doubtfulBelow.get(new TopicPartition(record.topic(), record.partition()));
            boolean late = !clock.instant().isBefore(permit.expiresAt());
            if (late && doubtful != null && record.offset() < doubtful) {
                passedOver++;
                continue;
            }
            taken.accept(new Held(permit, record.value().length));
        }
        if (passedOver > 0) {
            LOG.warn(
                    "{} late permits lie before offsets that this group did not commit itself; they may have been used,"
                            + " so they are not handed back and their cost stays spent",
                    passedOver);
        }
    }

    /** Whether the offsets are committed for certain. */
    private boolean commit(KafkaConsumer<String, byte[]> consumer, ConsumerRecords<String, byte[]> records) {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : records.partitions()) {
            List<ConsumerRecord<String, byte[]>> of = records.records(partition);
            offsets.put(partition, marked(partition, of.get(of.size() - 1).offset() + 1));
        }
        for (int attempt = 1; ; attempt++) {
            try {
                consumer.commitSync(offsets, COMMIT_TIMEOUT);
                return true;
            } catch (RetriableException e) {
                if (attempt == COMMIT_ATTEMPTS || closing.getCount() == 0) {
                    LOG.warn(
                            "{} permits are not used: Kafka did not confirm in {} attempts that they are taken ({});"
                                    + " they are read again",
                            records.count(),
                            attempt,
                            e.getMessage());
                    return false;
                }
            } catch (KafkaException e) {
                LOG.warn(
                        "{} permits are not used: this dispatcher could not take them, the group has changed ({})",
                        records.count(),
                        e.getMessage());
                return false;
            }
        }
    }

    /** The mark also says up to where permits are doubtful, for the next holder of the partition. */
    private OffsetAndMetadata marked(TopicPartition partition, long offset) {
        Long doubtful = doubtfulBelow.get(partition);
        return new OffsetAndMetadata(offset, doubtful != null && doubtful > offset ? MARK + ":" + doubtful : MARK);
    }

    /** None of these was called, so reading them again is safe; a partition that has gone is its new owner's to read. */
    private void rewind(KafkaConsumer<String, byte[]> consumer, ConsumerRecords<String, byte[]> records) {
        Set<TopicPartition> mine = consumer.assignment();
        for (TopicPartition partition : records.partitions()) {
            if (mine.contains(partition)) {
                consumer.seek(partition, records.records(partition).get(0).offset());
            }
        }
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

    /** Takes no more and leaves. */
    @Override
    public void close() {
        closing.countDown();
        // No wake-up: it could hit a commit and leave open whether permits are taken, and a poll is short.
        try {
            thread.join(JOIN_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Notes, for each partition that comes, whether its offset was committed by this group's own hand. */
    private final class Assignment implements ConsumerRebalanceListener {
        private final KafkaConsumer<String, byte[]> consumer;

        Assignment(KafkaConsumer<String, byte[]> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            Map<TopicPartition, OffsetAndMetadata> committed =
                    consumer.committed(new HashSet<>(partitions), LOOK_UP_TIMEOUT);
            List<TopicPartition> unmarked = new ArrayList<>();
            doubtfulBelow.keySet().removeAll(partitions);
            for (TopicPartition partition : partitions) {
                Matcher mark = MARKED.matcher(metadata(committed.get(partition)));
                if (!mark.matches()) {
                    unmarked.add(partition);
                } else if (mark.group(1) != null) {
                    doubtfulBelow.put(partition, Long.parseLong(mark.group(1)));
                }
            }
            if (!unmarked.isEmpty()) {
                doubtfulBelow.putAll(consumer.endOffsets(unmarked, LOOK_UP_TIMEOUT));
                mark(unmarked);
            }
            assigned = true;
            LOG.info(
                    "takes permits from {} partitions of {}",
                    consumer.assignment().size(),
                    Topics.DISPATCH);
        }

        private static String metadata(@Nullable OffsetAndMetadata committed) {
            return committed == null ? "" : committed.metadata();
        }

        /** From here on the offsets are the group's own; what lay there before stays doubtful. */
        private void mark(List<TopicPartition> unmarked) {
            Map<TopicPartition, OffsetAndMetadata> marks = new HashMap<>();
            for (TopicPartition partition : unmarked) {
                marks.put(partition, marked(partition, consumer.position(partition, LOOK_UP_TIMEOUT)));
            }
            try {
                consumer.commitSync(marks, COMMIT_TIMEOUT);
            } catch (KafkaException e) {
                LOG.warn(
                        "the offsets of {} cannot be marked as this group's own yet, the next commit does it: {}",
                        unmarked,
                        e.getMessage());
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            doubtfulBelow.keySet().removeAll(partitions);
        }
    }
}
