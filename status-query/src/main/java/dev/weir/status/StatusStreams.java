package dev.weir.status;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StoreQueryParameters;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.state.QueryableStoreTypes;
import org.apache.kafka.streams.state.ReadOnlyKeyValueStore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Kafka Streams application {@code weir-status}. Thread-safe. */
final class StatusStreams implements AutoCloseable {
    static final String APPLICATION_ID = "weir-status";
    static final Duration POLL = Duration.ofMillis(20);
    /** What a killed process must read again; the store itself is visible at once. */
    static final Duration COMMIT_INTERVAL = Duration.ofMillis(500);

    static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);
    /** Between the failure of a stream thread and the next one. */
    static final Duration RESTART_PAUSE = Duration.ofSeconds(1);

    private static final Logger LOG = LoggerFactory.getLogger(StatusStreams.class);

    private final StoreMemory memory = new StoreMemory();
    private final KafkaStreams streams;

    StatusStreams(Topology topology, KafkaSettings kafka) {
        streams = new KafkaStreams(topology, settings(kafka, memory));
        streams.setUncaughtExceptionHandler(failure -> {
            LOG.error(
                    "the status store's thread failed; a new one takes over in {} and reads on from the last commit",
                    RESTART_PAUSE,
                    failure);
            // On the failing thread itself, which has nothing left to do: without a pause a lasting fault would spin.
            LockSupport.parkNanos(RESTART_PAUSE.toNanos());
            return StreamThreadExceptionResponse.REPLACE_THREAD;
        });
    }

    static Properties settings(KafkaSettings kafka, StoreMemory memory) {
        Properties settings = new Properties();
        settings.putAll(kafka.common());
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
        settings.put(
                StreamsConfig.STATE_DIR_CONFIG,
                kafka.stateDir().resolve("status").toString());
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.AT_LEAST_ONCE);
        settings.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
        settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, (int) kafka.replication());
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(StreamsConfig.POLL_MS_CONFIG, POLL.toMillis());
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, COMMIT_INTERVAL.toMillis());
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0L);
        // Revisions make the order of the two topics irrelevant: neither waits for the other.
        settings.put(StreamsConfig.MAX_TASK_IDLE_MS_CONFIG, StreamsConfig.MAX_TASK_IDLE_MS_DISABLED);
        settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, StoreMemory.Setter.class);
        settings.put(StoreMemory.CONFIG, memory);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.ISOLATION_LEVEL_CONFIG), "read_committed");
        settings.put(
                StreamsConfig.mainConsumerPrefix(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG),
                APPLICATION_ID + "-" + kafka.instance());
        settings.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG), (int)
                kafka.sessionTimeout().toMillis());
        settings.put(StreamsConfig.mainConsumerPrefix(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG), (int)
                kafka.heartbeatInterval().toMillis());
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.MAX_REQUEST_SIZE_CONFIG), Topics.MAX_MESSAGE_BYTES);
        return settings;
    }

    void start() {
        streams.start();
    }

    /**
     * The local store of a partition.
     *
     * @throws org.apache.kafka.streams.errors.InvalidStateStoreException while it is not open here
     */
    ReadOnlyKeyValueStore<String, JobEvent> jobs(int partition) {
        return streams.store(StoreQueryParameters.fromNameAndType(
                        StatusTopology.JOBS, QueryableStoreTypes.<String, JobEvent>keyValueStore())
                .withPartition(partition));
    }

    /** Null when it runs, else what keeps it. */
    @Nullable
    String notReady() {
        KafkaStreams.State state = streams.state();
        return state == KafkaStreams.State.RUNNING
                ? null
                : "the status store is " + state + " (it restores, or waits for its partitions)";
    }

    @Override
    public void close() {
        if (!streams.close(CLOSE_TIMEOUT)) {
            LOG.warn("the status store did not close within {}; its next start restores what it lacks", CLOSE_TIMEOUT);
        } else {
            // Closed under running threads it would take the process with it.
            memory.close();
        }
    }
}
