package dev.weir.status;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.StreamsMetadata;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.query.FailureReason;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.query.StateQueryRequest;
import org.apache.kafka.streams.state.HostInfo;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The Kafka Streams application {@code weir-status}. Thread-safe. */
final class StatusStreams implements LocalStores, Routing, AutoCloseable {
    static final String APPLICATION_ID = "weir-status";
    static final Duration POLL = Duration.ofMillis(20);
    /** What a killed process must read again; the store itself is visible at once. */
    static final Duration COMMIT_INTERVAL = Duration.ofMillis(500);

    /** Of the counts, which alone are cached: they reach their stores with the next commit. */
    static final long USAGE_CACHE_BYTES = 4L * 1024 * 1024;
    /** What a standby knows later than its active store; the throughput does not need more. */
    static final Duration CHANGELOG_LINGER = Duration.ofMillis(5);
    /** How soon a partition moves on to an instance that has caught up with it. */
    static final Duration PROBING_INTERVAL = Duration.ofMinutes(1);

    static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(10);
    /** Between the failure of a stream thread and the next one. */
    static final Duration RESTART_PAUSE = Duration.ofSeconds(1);

    private static final Logger LOG = LoggerFactory.getLogger(StatusStreams.class);

    private final StoreMemory memory = new StoreMemory();
    private final KafkaStreams streams;
    private final @Nullable HostInfo self;

    /** @param self where the other instances reach this one; null when it is alone, and needs no standbys */
    StatusStreams(Topology topology, KafkaSettings kafka, @Nullable HostInfo self) {
        this.self = self;
        streams = new KafkaStreams(topology, settings(kafka, memory, self));
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

    static Properties settings(KafkaSettings kafka, StoreMemory memory, @Nullable HostInfo self) {
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
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, USAGE_CACHE_BYTES);
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
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), CHANGELOG_LINGER.toMillis());
        if (self != null) {
            settings.put(StreamsConfig.APPLICATION_SERVER_CONFIG, self.host() + ":" + self.port());
            settings.put(StreamsConfig.NUM_STANDBY_REPLICAS_CONFIG, 1);
            settings.put(StreamsConfig.MAX_WARMUP_REPLICAS_CONFIG, Topics.JOB_PARTITIONS);
            settings.put(StreamsConfig.PROBING_REBALANCE_INTERVAL_MS_CONFIG, PROBING_INTERVAL.toMillis());
        }
        return settings;
    }

    void start() {
        streams.start();
    }

    @Override
    public <R> @Nullable QueryResult<R> query(String store, int partition, Query<R> query) {
        QueryResult<R> result = streams.query(
                        StateQueryRequest.inStore(store).withQuery(query).withPartitions(Set.of(partition)))
                .getPartitionResults()
                .get(partition);
        if (result == null || result.isSuccess()) {
            return result;
        }
        FailureReason reason = result.getFailureReason();
        if (reason == FailureReason.NOT_PRESENT || reason == FailureReason.DOES_NOT_EXIST) {
            return null;
        }
        throw new InvalidStateStoreException(result.getFailureMessage());
    }

    @Override
    public @Nullable HostInfo owner(int partition) {
        TopicPartition source = new TopicPartition(Topics.JOB_EVENTS, partition);
        for (StreamsMetadata instance : others()) {
            if (instance.topicPartitions().contains(source)) {
                return instance.hostInfo();
            }
        }
        return null;
    }

    @Override
    public List<HostInfo> standbys(int partition) {
        TopicPartition source = new TopicPartition(Topics.JOB_EVENTS, partition);
        return others().stream()
                .filter(instance -> instance.standbyTopicPartitions().contains(source))
                .map(StreamsMetadata::hostInfo)
                .toList();
    }

    private List<StreamsMetadata> others() {
        if (self == null) {
            return List.of();
        }
        try {
            return streams.metadataForAllStreamsClients().stream()
                    .filter(instance -> !instance.hostInfo().equals(self))
                    .toList();
        } catch (IllegalStateException e) {
            // Not started yet, or closed already.
            return List.of();
        }
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
