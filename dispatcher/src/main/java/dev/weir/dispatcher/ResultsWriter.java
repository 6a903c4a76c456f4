package dev.weir.dispatcher;

import dev.weir.contracts.db.Database;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Outcome;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes outcomes to PostgreSQL in batches, each outcome at least once and idempotently. While PostgreSQL is away it waits
 * and keeps its place in the group; the outcomes wait in Kafka, and nothing else waits for them. Thread-safe.
 */
public final class ResultsWriter implements AutoCloseable {
    static final String GROUP = "weir-results";
    private static final Duration POLL = Duration.ofMillis(250);
    private static final int MAX_BATCH = 500;
    private static final int FETCH_MAX_BYTES = 16 * 1024 * 1024;
    private static final Duration FIRST_BACKOFF = Duration.ofMillis(250);
    private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(15);
    private static final Duration RESTART_PAUSE = Duration.ofSeconds(5);
    private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);
    /** A stop lets a batch finish, but not a database that hangs. */
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(8);

    private static final Logger LOG = LoggerFactory.getLogger(ResultsWriter.class);

    private final Database database;
    private final KafkaSettings kafka;
    private final ResultsTable table;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile long backlog;
    private volatile @Nullable String notReady = "has not started";

    public ResultsWriter(Database database, KafkaSettings kafka, PrometheusMeterRegistry metrics) {
        this.database = database;
        this.kafka = kafka;
        this.table = new ResultsTable(database.dataSource());
        Gauge.builder("weir_results_backlog", this, writer -> writer.backlog)
                .description("Outcomes that are not in PostgreSQL yet")
                .register(metrics);
        thread = new Thread(this::run, "results-writer");
        thread.setDaemon(true);
    }

    public void start() {
        thread.start();
    }

    /** Null when results are being written, else why not. */
    public @Nullable String notReady() {
        return notReady;
    }

    private void run() {
        if (!migrate()) {
            return;
        }
        while (isOpen()) {
            try {
                consume();
            } catch (RuntimeException e) {
                notReady = "reading " + Topics.OUTCOMES + " failed: " + e.getMessage();
                LOG.error(
                        "reading {} failed; no result is lost, starting over in {}. If it says that the member was fenced,"
                                + " another process runs with the same WEIR_INSTANCE ({})",
                        Topics.OUTCOMES,
                        RESTART_PAUSE,
                        kafka.instance(),
                        e);
                pause(RESTART_PAUSE);
            }
        }
    }

    private void consume() {
        KafkaConsumer<String, byte[]> consumer = consumer();
        try {
            consumer.subscribe(List.of(Topics.OUTCOMES));
            notReady = null;
            while (isOpen()) {
                cycle(consumer);
            }
        } finally {
            consumer.close(CloseOptions.timeout(CLOSE_TIMEOUT));
        }
    }

    private boolean migrate() {
        Duration backoff = FIRST_BACKOFF;
        while (isOpen()) {
            try {
                Migrations.run(database.dataSource());
                return true;
            } catch (RuntimeException e) {
                notReady = "the database cannot be set up: " + ResultsTable.reason(e);
                LOG.warn("the database cannot be set up, trying again in {}: {}", backoff, ResultsTable.reason(e));
                pause(backoff);
                backoff = longer(backoff);
            }
        }
        return false;
    }

    private KafkaConsumer<String, byte[]> consumer() {
        Map<String, Object> settings = kafka.consumer(GROUP);
        // Outcomes are written outside transactions.
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_uncommitted");
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, MAX_BATCH);
        settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_MAX_BYTES);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    private void cycle(KafkaConsumer<String, byte[]> consumer) {
        ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
        measureBacklog(consumer, records.count());
        if (records.isEmpty() || !write(consumer, outcomes(records))) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : records.partitions()) {
            List<ConsumerRecord<String, byte[]>> of = records.records(partition);
            offsets.put(partition, new OffsetAndMetadata(of.get(of.size() - 1).offset() + 1));
        }
        try {
            consumer.commitSync(offsets, COMMIT_TIMEOUT);
            measureBacklog(consumer, 0);
        } catch (KafkaException e) {
            LOG.warn(
                    "{} results are written, but Kafka did not take note ({}); they may be written again, which changes"
                            + " nothing",
                    records.count(),
                    e.getMessage());
        }
    }

    private static List<Outcome> outcomes(ConsumerRecords<String, byte[]> records) {
        List<Outcome> outcomes = new ArrayList<>(records.count());
        for (ConsumerRecord<String, byte[]> record : records) {
            if (record.value() == null) {
                continue;
            }
            try {
                Outcome outcome = Json.read(record.value(), Outcome.class);
                if (Stream.of(
                                outcome.jobId(),
                                outcome.tenant(),
                                outcome.upstream(),
                                outcome.kind(),
                                outcome.slot(),
                                outcome.endedAt())
                        .anyMatch(Objects::isNull)) {
                    throw new SerializationException("a field is missing");
                }
                outcomes.add(outcome);
            } catch (SerializationException e) {
                LOG.error(
                        "the outcome at {}-{}@{} cannot be read and is left out: {}",
                        record.topic(),
                        record.partition(),
                        record.offset(),
                        e.getMessage());
            }
        }
        return outcomes;
    }

    /** Tries until PostgreSQL has them; false when it was closed before. */
    private boolean write(KafkaConsumer<String, byte[]> consumer, List<Outcome> outcomes) {
        Duration backoff = FIRST_BACKOFF;
        boolean failed = false;
        try {
            while (isOpen()) {
                try {
                    table.write(outcomes);
                    if (failed) {
                        LOG.info("PostgreSQL takes results again");
                    }
                    notReady = null;
                    return true;
                } catch (SQLException e) {
                    failed = true;
                    notReady = "PostgreSQL does not take results: " + ResultsTable.reason(e);
                    LOG.warn(
                            "PostgreSQL does not take {} results ({}); nothing is lost, they wait in {}, trying again in {}",
                            outcomes.size(),
                            ResultsTable.reason(e),
                            Topics.OUTCOMES,
                            backoff);
                    if (!stayMember(consumer, backoff)) {
                        return false;
                    }
                    backoff = longer(backoff);
                }
            }
            return false;
        } finally {
            consumer.resume(consumer.paused());
        }
    }

    /**
     * Waits without being put out of the group: paused partitions bring nothing, but the polls go on. False when the
     * partitions have changed: then nothing of this batch is committed, and whoever has them now reads it again.
     */
    private boolean stayMember(KafkaConsumer<String, byte[]> consumer, Duration wait) {
        var before = consumer.assignment();
        long until = System.nanoTime() + wait.toNanos();
        while (isOpen() && System.nanoTime() < until) {
            consumer.pause(consumer.assignment());
            ConsumerRecords<String, byte[]> none = consumer.poll(POLL);
            measureBacklog(consumer, 0);
            if (!none.isEmpty() || !consumer.assignment().equals(before)) {
                rewindToCommitted(consumer);
                return false;
            }
        }
        return true;
    }

    private void rewindToCommitted(KafkaConsumer<String, byte[]> consumer) {
        Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(consumer.assignment());
        for (TopicPartition partition : consumer.assignment()) {
            OffsetAndMetadata offset = committed.get(partition);
            if (offset == null) {
                consumer.seekToBeginning(List.of(partition));
            } else {
                consumer.seek(partition, offset.offset());
            }
        }
    }

    private void measureBacklog(KafkaConsumer<String, byte[]> consumer, int inHand) {
        long behind = inHand;
        for (TopicPartition partition : consumer.assignment()) {
            OptionalLong lag = consumer.currentLag(partition);
            behind += lag.orElse(0);
        }
        backlog = behind;
    }

    private boolean isOpen() {
        return closing.getCount() > 0;
    }

    private void pause(Duration pause) {
        try {
            if (closing.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.debug("closing while waiting");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Duration longer(Duration backoff) {
        Duration doubled = backoff.multipliedBy(2);
        return doubled.compareTo(LONGEST_BACKOFF) > 0 ? LONGEST_BACKOFF : doubled;
    }

    @Override
    public void close() {
        closing.countDown();
        notReady = "shutting down";
        try {
            thread.join(JOIN_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
