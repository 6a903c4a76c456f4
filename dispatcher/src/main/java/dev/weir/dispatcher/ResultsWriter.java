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
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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
import org.flywaydb.core.api.FlywayException;
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
    private static final Duration MAINTAIN_EVERY = Duration.ofMinutes(30);
    private static final int FETCH_MAX_BYTES = 16 * 1024 * 1024;
    private static final Duration FIRST_BACKOFF = Duration.ofMillis(250);
    private static final Duration LONGEST_BACKOFF = Duration.ofSeconds(5);
    /** While PostgreSQL is away; what waits is in the metrics all the time. */
    private static final Duration SAY_AGAIN = Duration.ofMinutes(1);

    private static final Duration RESTART_PAUSE = Duration.ofSeconds(5);
    private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);
    /** A stop lets a batch finish, but not a database that hangs. */
    private static final Duration JOIN_TIMEOUT = Duration.ofSeconds(8);

    private static final Logger LOG = LoggerFactory.getLogger(ResultsWriter.class);

    private final Database database;
    private final KafkaSettings kafka;
    private final ResultsPartitions partitions;
    private final ResultsTable table;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Backlog backlog = new Backlog();
    private boolean isSetUp;
    private long maintainAtNanos;
    private volatile @Nullable String notReady = "has not started";

    /** @param retention how many days results are kept */
    public ResultsWriter(
            Database database,
            KafkaSettings kafka,
            Duration retention,
            PrometheusMeterRegistry metrics,
            InstantSource clock) {
        this.database = database;
        this.kafka = kafka;
        this.partitions = new ResultsPartitions(database.dataSource(), retention, clock);
        this.table = new ResultsTable(database.dataSource(), partitions);
        Gauge.builder("weir_results_backlog", backlog, Backlog::count)
                .description(
                        "Outcomes in Kafka that are not in PostgreSQL yet, of the partitions that this process has")
                .register(metrics);
        thread = new Thread(this::run, "results-writer");
        thread.setDaemon(true);
    }

    public void start() {
        thread.start();
    }

    /** Null when outcomes are read, else why not. A PostgreSQL that is away is no reason: calls go on without it. */
    public @Nullable String notReady() {
        return notReady;
    }

    private void run() {
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
            consumer.subscribe(List.of(Topics.OUTCOMES), backlog.following(consumer));
            notReady = null;
            while (isOpen()) {
                if (isSetUp || keepTrying(consumer, "is not set up for results", this::setUp)) {
                    cycle(consumer);
                }
            }
        } finally {
            consumer.close(CloseOptions.timeout(CLOSE_TIMEOUT));
        }
    }

    private void setUp() {
        Migrations.run(database.dataSource());
        maintainAtNanos = System.nanoTime();
        isSetUp = true;
    }

    /** What is not done this time is done the next: no result waits for it. */
    private void maintain() {
        if (System.nanoTime() - maintainAtNanos < 0) {
            return;
        }
        maintainAtNanos = System.nanoTime() + MAINTAIN_EVERY.toNanos();
        try {
            partitions.maintain();
        } catch (SQLException e) {
            LOG.warn(
                    "the days of results were not looked after, trying again in {}: {}",
                    MAINTAIN_EVERY,
                    ResultsTable.reason(e));
        }
    }

    private KafkaConsumer<String, byte[]> consumer() {
        Map<String, Object> settings = kafka.consumer(GROUP);
        // Outcomes are written outside transactions.
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_uncommitted");
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, ResultsTable.MOST_ROWS);
        settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_MAX_BYTES);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    private void cycle(KafkaConsumer<String, byte[]> consumer) {
        ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
        backlog.measure(consumer);
        maintain();
        if (records.isEmpty() || !write(consumer, table.rows(outcomes(records)))) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (TopicPartition partition : records.partitions()) {
            List<ConsumerRecord<String, byte[]>> of = records.records(partition);
            offsets.put(partition, new OffsetAndMetadata(of.get(of.size() - 1).offset() + 1));
        }
        backlog.written(offsets);
        try {
            consumer.commitSync(offsets, COMMIT_TIMEOUT);
        } catch (KafkaException e) {
            LOG.warn(
                    "{} results are written, but Kafka did not take note ({}); they may be written again, which changes"
                            + " nothing",
                    records.count(),
                    e.getMessage());
        }
        backlog.measure(consumer);
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

    /** Tries until PostgreSQL has them; false when it was closed, or lost its partitions, before. */
    private boolean write(KafkaConsumer<String, byte[]> consumer, List<ResultRow> rows) {
        int[] done = {0};
        return keepTrying(consumer, "does not take results", () -> {
                    while (done[0] < rows.size() && isOpen()) {
                        done[0] += table.writeSome(rows.subList(done[0], rows.size()));
                        backlog.measure(consumer);
                    }
                })
                && done[0] == rows.size();
    }

    private interface Attempt {
        void run() throws SQLException;
    }

    /** Tries until it succeeds; false when it was closed, or the partitions changed, before. */
    private boolean keepTrying(KafkaConsumer<String, byte[]> consumer, String problem, Attempt attempt) {
        Duration backoff = FIRST_BACKOFF;
        long failedAt = 0;
        long sayAt = 0;
        try {
            while (isOpen()) {
                try {
                    attempt.run();
                    if (failedAt != 0) {
                        LOG.info(
                                "PostgreSQL takes results again, after {} s; {} wait",
                                Duration.ofNanos(System.nanoTime() - failedAt).toSeconds(),
                                backlog.count());
                    }
                    return true;
                } catch (SQLException | FlywayException e) {
                    long now = System.nanoTime();
                    if (failedAt == 0 || now - sayAt >= 0) {
                        LOG.warn(
                                "PostgreSQL {} ({}); calls go on and nothing is lost, {} results wait in {} and are tried"
                                        + " again and again",
                                problem,
                                ResultsTable.reason(e),
                                backlog.count(),
                                Topics.OUTCOMES);
                        sayAt = now + SAY_AGAIN.toNanos();
                    }
                    failedAt = failedAt == 0 ? now : failedAt;
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
            backlog.measure(consumer);
            if (!none.isEmpty() || !consumer.assignment().equals(before)) {
                backlog.rewind(consumer);
                return false;
            }
        }
        return true;
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
