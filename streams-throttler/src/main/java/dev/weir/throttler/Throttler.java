package dev.weir.throttler;

import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.BrokerClock;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.throttler.topology.BoundedMemory;
import dev.weir.throttler.topology.Seeds;
import dev.weir.throttler.topology.ThrottleMetrics;
import dev.weir.throttler.topology.ThrottleTopology;
import io.micrometer.core.instrument.binder.kafka.KafkaStreamsMetrics;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The role {@code throttler}: the topology, running under exactly-once. Thread-safe. */
public final class Throttler implements AutoCloseable {
    public static final String APPLICATION_ID = "weir-throttler";
    /** A clock further from the broker's releases nothing: it could not tell when a window ends. */
    public static final Duration MAX_CLOCK_OFFSET = Duration.ofSeconds(5);

    private static final Duration CLOCK_CHECK_EVERY = Duration.ofSeconds(30);
    /** A start that takes longer is looked into, as often as the next one says. */
    private static final Duration LONG_START = Duration.ofSeconds(60);

    private static final Duration LOOK_EVERY = Duration.ofSeconds(30);
    private static final int MAX_CAUSES = 20;
    private static final Duration REPLACE_PAUSE = Duration.ofSeconds(1);
    private static final Duration CLOCK_RETRY = Duration.ofSeconds(1);
    private static final Duration COMMIT_INTERVAL = Duration.ofMillis(100);
    /**
     * Nobody sees what is sent before the commit, which sends what still waits: until then only a full batch goes out, and with it
     * what waits for the same broker. Fewer and fuller requests delay nothing.
     */
    private static final Duration LINGER = COMMIT_INTERVAL.multipliedBy(2);

    private static final int BATCH_BYTES = 512 * 1024;
    /** A batch of each partition that is written to at most: of all changelogs, and of what goes out. */
    private static final long UNSENT_BYTES = 48L * 1024 * 1024;
    /** Of each broker: what comes meanwhile goes into the next one together, and each costs the same whatever is in it. */
    private static final int MOST_REQUESTS_IN_FLIGHT = 1;
    /**
     * Kafka Streams polls again only when all it has is processed; so outcomes wait behind no more requests than this. It is about
     * what one fetch brings: the next one is under way while these are processed.
     */
    private static final int MAX_POLL_RECORDS = 500;
    /** And behind no more bytes of them that were fetched in one go. A larger record is fetched all the same. */
    private static final int MAX_FETCH_BYTES = 512 * 1024;
    /**
     * It grows to what a fetch brings, or a request takes; Kafka's own has room for a part of one, and the rest would come when all
     * else is processed.
     */
    private static final int SOCKET_BUFFER_OF_THE_SYSTEM = -1;

    private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(Throttler.class);

    private final KafkaSettings kafka;
    private final KafkaStreams streams;
    private final BrokerClock brokerClock;
    private final InstantSource clock;
    private final KafkaStreamsMetrics streamsMetrics;
    private final ScheduledExecutorService checks;
    private final Seeding seeding;
    /** By {@link System#nanoTime()}; used by the checks' thread alone. */
    private long rebalancingSinceNanos = System.nanoTime();

    private volatile @Nullable String startProblem;
    private volatile @Nullable String heldProblem;
    private volatile @Nullable String clockProblem = "its clock was not yet compared with the broker's";

    /** @param upstreams is being read */
    public Throttler(
            WeirConfig config,
            KafkaSettings kafka,
            Upstreams upstreams,
            PrometheusMeterRegistry metrics,
            InstantSource clock) {
        this.kafka = kafka;
        this.clock = clock;
        seeding = new Seeding(config, upstreams, kafka, clock);
        brokerClock = new BrokerClock(kafka);
        ThrottleTopology topology = new ThrottleTopology(
                Seeds.of(config),
                clock,
                () -> clockProblem == null,
                new ThrottleMetrics(metrics),
                Topics.UPSTREAM_PARTITIONS);
        streams = new KafkaStreams(topology.get(), properties(kafka), topology.clients(), new SteadyTime(clock));
        streams.setUncaughtExceptionHandler(e -> {
            Throwable cause = rootOf(e);
            if (cause instanceof ApiException) {
                // Kafka's own word: fenced after a stall, or the broker is away. Ordinary, and no fault of the code.
                LOG.warn(
                        "the throttle lost its transaction and goes on from the last commit: {}: {}",
                        cause.getClass().getSimpleName(),
                        cause.getMessage());
            } else {
                LOG.error("the throttle's thread failed; it is replaced and goes on from the last commit", e);
            }
            // What fails at once would fail again at once: a bounded pace keeps the log readable and the broker free.
            LockSupport.parkNanos(REPLACE_PAUSE.toNanos());
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        });
        streamsMetrics = new KafkaStreamsMetrics(streams);
        streamsMetrics.bindTo(metrics);
        checks = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "throttler-checks");
            thread.setDaemon(true);
            return thread;
        });
    }

    public void start() {
        checks.execute(this::checkClock);
        ScheduledFuture<?> unused = checks.scheduleWithFixedDelay(
                this::lookIntoALongStart, LOOK_EVERY.toMillis(), LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Null when it releases; else why not. */
    public @Nullable String notReady() {
        String problem = clockProblem == null ? startProblem : clockProblem;
        if (problem != null) {
            return problem;
        }
        KafkaStreams.State state = streams.state();
        if (state == KafkaStreams.State.RUNNING) {
            return null;
        }
        String held = heldProblem;
        return "Kafka Streams is " + state + (held == null ? "" : ": " + held);
    }

    @Override
    public void close() {
        checks.shutdownNow();
        streamsMetrics.close();
        if (!streams.close(CLOSE_TIMEOUT)) {
            LOG.warn(
                    "the throttle did not close within {}; its open transaction is aborted by the broker",
                    CLOSE_TIMEOUT);
        }
        brokerClock.close();
    }

    private static Throwable rootOf(Throwable failure) {
        Throwable root = failure;
        for (int depth = 0; root.getCause() != null && depth < MAX_CAUSES; depth++) {
            root = root.getCause();
        }
        return root;
    }

    private void checkClock() {
        Duration next = CLOCK_RETRY;
        try {
            Duration offset = brokerClock.offset(clock);
            if (offset.abs().compareTo(MAX_CLOCK_OFFSET) > 0) {
                String problem = "the throttler's clock is " + offset.abs().toMillis() + " ms "
                        + (offset.isNegative() ? "ahead of" : "behind") + " the broker's, more than "
                        + MAX_CLOCK_OFFSET.toMillis()
                        + " ms; nothing is released. Check NTP on this machine and on the broker's, then restart this process";
                clockProblem = problem;
                LOG.error("{}", problem);
                next = CLOCK_CHECK_EVERY;
            } else {
                clockProblem = null;
                // Not before: a wrong clock would judge deadlines, too.
                next = streams.state() != KafkaStreams.State.CREATED || startStreams()
                        ? CLOCK_CHECK_EVERY
                        : CLOCK_RETRY;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        } catch (RuntimeException e) {
            // What was known of the clock stands: it does not change because the broker is away.
            LOG.warn("the broker's time is not known: {}; asked again in {}", e.getMessage(), next);
        }
        if (!checks.isShutdown()) {
            ScheduledFuture<?> unused = checks.schedule(this::checkClock, next.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void lookIntoALongStart() {
        if (streams.state() != KafkaStreams.State.REBALANCING) {
            rebalancingSinceNanos = System.nanoTime();
            heldProblem = null;
            return;
        }
        if (System.nanoTime() - rebalancingSinceNanos < LONG_START.toNanos()) {
            return;
        }
        try {
            Set<String> held = HeldOffsets.of(APPLICATION_ID, kafka);
            heldProblem = held.isEmpty()
                    ? null
                    : "a transaction that has not ended holds its offsets of " + held
                            + ". Kafka may have lost its end (KAFKA-20734): find it with kafka-transactions.sh find-hanging"
                            + " and end it with kafka-transactions.sh abort, as the README says; nothing is released until then";
            if (heldProblem != null) {
                LOG.error("the throttle cannot start: {}", heldProblem);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | KafkaException e) {
            LOG.warn(
                    "the throttle has not started for {}, and Kafka does not tell why ({}); is the broker up? Asked again in {}",
                    Duration.ofNanos(System.nanoTime() - rebalancingSinceNanos).truncatedTo(ChronoUnit.SECONDS),
                    e.toString(),
                    LOOK_EVERY);
        }
    }

    /** Whether they could be. */
    private boolean startStreams() throws InterruptedException {
        try {
            seeding.run();
        } catch (IllegalStateException e) {
            startProblem = e.getMessage();
            LOG.error("the throttle cannot start yet, and nothing is called until it can: {}", startProblem);
            return false;
        }
        startProblem = null;
        streams.start();
        return true;
    }

    /** What Kafka Streams is told; an application that is compared with this one runs with the same. */
    public static Properties properties(KafkaSettings kafka) {
        Properties properties = new Properties();
        properties.putAll(Map.ofEntries(
                Map.entry(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID),
                Map.entry(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers()),
                Map.entry(StreamsConfig.CLIENT_ID_CONFIG, APPLICATION_ID + "-" + kafka.instance()),
                Map.entry(
                        StreamsConfig.STATE_DIR_CONFIG,
                        kafka.stateDir().resolve("throttler").toString()),
                Map.entry(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2),
                Map.entry(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_INTERVAL.toMillis()),
                Map.entry(StreamsConfig.POLL_MS_CONFIG, 20L),
                // Kafka Streams 4.3 writes a message for each record and each input that is empty just then, otherwise:
                // a third
                // of all time. Outcomes go first all the same, as soon as they are here.
                Map.entry(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, StreamsConfig.MAX_TASK_IDLE_MS_DISABLED),
                Map.entry(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1),
                Map.entry(StreamsConfig.REPLICATION_FACTOR_CONFIG, (int) kafka.replication()),
                Map.entry(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, kafka.replication() > 1 ? 1 : 0),
                Map.entry(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedMemory.class),
                Map.entry(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true),
                Map.entry(StreamsConfig.METADATA_MAX_AGE_CONFIG, 30_000),
                Map.entry(StreamsConfig.topicPrefix(TopicConfig.SEGMENT_BYTES_CONFIG), 64 * 1024 * 1024),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG), (int)
                        TRANSACTION_TIMEOUT.toMillis()),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG), 9_000),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG), 5_000),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), (int) LINGER.toMillis()),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), BATCH_BYTES),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), UNSENT_BYTES),
                Map.entry(
                        StreamsConfig.producerPrefix(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION),
                        MOST_REQUESTS_IN_FLIGHT),
                Map.entry(StreamsConfig.producerPrefix(ProducerConfig.SEND_BUFFER_CONFIG), SOCKET_BUFFER_OF_THE_SYSTEM),
                Map.entry(
                        StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG),
                        Topics.MAX_MESSAGE_BYTES)));
        properties.putAll(Map.of(
                StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG),
                APPLICATION_ID + "-" + kafka.instance(),
                StreamsConfig.consumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG),
                (int) kafka.sessionTimeout().toMillis(),
                StreamsConfig.consumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG),
                (int) kafka.heartbeatInterval().toMillis(),
                StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG),
                MAX_POLL_RECORDS,
                StreamsConfig.consumerPrefix(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG),
                "earliest",
                StreamsConfig.mainConsumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG),
                MAX_FETCH_BYTES,
                StreamsConfig.consumerPrefix(ConsumerConfig.RECEIVE_BUFFER_CONFIG),
                SOCKET_BUFFER_OF_THE_SYSTEM));
        return properties;
    }
}
