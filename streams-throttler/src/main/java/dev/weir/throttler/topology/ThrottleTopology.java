package dev.weir.throttler.topology;

import dev.weir.contracts.kafka.Topics;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.AutoOffsetReset;
import org.apache.kafka.streams.KafkaClientSupplier;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * The throttle as a topology: requests, outcomes and settings, all by upstream, into one processor; permits, events, dead letters and
 * forecasts out of it.
 */
public final class ThrottleTopology implements Supplier<Topology> {
    public static final String REQUESTS_SOURCE = "requests";
    public static final String OUTCOMES_SOURCE = "outcomes";
    public static final String UPSTREAMS_SOURCE = "upstreams";
    public static final String PROCESSOR = "throttle";
    public static final String DISPATCH_SINK = "dispatch";
    public static final String EVENTS_SINK = "job-events";
    public static final String DEAD_LETTERS_SINK = "dead-letters";
    public static final String FORECASTS_SINK = "forecasts";
    /** Jobs, what they ask for, and timers that may be taken out before their time. */
    public static final String JOBS_STORE = "throttle-jobs";
    /** What changes all the time: upstreams and lanes, and pages of neighbours in a lane, permits, dispatched jobs, timers. */
    public static final String HEADS_STORE = "throttle-heads";

    /**
     * Kafka Streams takes the record with the oldest timestamp first. Outcomes are made to look this much older, so that they
     * never wait behind a burst of requests: in flight would fill up with calls that ended long ago, and releases would stop.
     * What people say goes before both.
     */
    private static final long OUTCOMES_FIRST_MS = Duration.ofDays(1).toMillis();

    private static final long UPSTREAMS_FIRST_MS = Duration.ofDays(36_500).toMillis();

    private final Seeds seeds;
    private final InstantSource clock;
    private final BooleanSupplier mayRelease;
    private final ThrottleMetrics metrics;
    private final int partitions;
    /** Tasks that have more to do than their last tick had time for. */
    private final Set<TaskId> behind = ConcurrentHashMap.newKeySet();

    /**
     * @param clock in tests, one that the test moves
     * @param partitions of {@code weir.requests} and {@code weir.outcomes}; 1 in the TopologyTestDriver
     * @param mayRelease asked at each tick; while it says no, nothing is released and no timer runs
     */
    public ThrottleTopology(
            Seeds seeds, InstantSource clock, BooleanSupplier mayRelease, ThrottleMetrics metrics, int partitions) {
        this.partitions = partitions;
        this.seeds = seeds;
        this.clock = clock;
        this.mayRelease = mayRelease;
        this.metrics = metrics;
    }

    @Override
    public Topology get() {
        StringDeserializer keys = new StringDeserializer();
        ByteArrayDeserializer values = new ByteArrayDeserializer();
        StringSerializer outKeys = new StringSerializer();
        ByteArraySerializer outValues = new ByteArraySerializer();
        return new Topology()
                .addSource(REQUESTS_SOURCE, keys, values, Topics.REQUESTS)
                .addSource(
                        AutoOffsetReset.earliest(),
                        OUTCOMES_SOURCE,
                        (message, partitionTime) -> Math.max(0, message.timestamp() - OUTCOMES_FIRST_MS),
                        keys,
                        values,
                        Topics.OUTCOMES)
                .addSource(
                        AutoOffsetReset.earliest(),
                        UPSTREAMS_SOURCE,
                        (message, partitionTime) -> Math.max(0, message.timestamp() - UPSTREAMS_FIRST_MS),
                        keys,
                        values,
                        Topics.UPSTREAMS)
                .addProcessor(
                        PROCESSOR,
                        () -> new ThrottleProcessor(seeds, clock, mayRelease, metrics, partitions, behind),
                        REQUESTS_SOURCE,
                        OUTCOMES_SOURCE,
                        UPSTREAMS_SOURCE)
                .addStateStore(store(JOBS_STORE), PROCESSOR)
                .addStateStore(store(HEADS_STORE), PROCESSOR)
                .addStateStore(new BeforeCommit.Builder(), PROCESSOR)
                .addSink(DISPATCH_SINK, Topics.DISPATCH, outKeys, outValues, PROCESSOR)
                .addSink(EVENTS_SINK, Topics.JOB_EVENTS, outKeys, outValues, PROCESSOR)
                .addSink(DEAD_LETTERS_SINK, Topics.DEAD_LETTERS, outKeys, outValues, PROCESSOR)
                .addSink(FORECASTS_SINK, Topics.FORECASTS, outKeys, outValues, PROCESSOR);
    }

    /** For the application that runs this: its thread does not wait for records while a task has more to do. */
    public KafkaClientSupplier clients() {
        return new StreamsClients(() -> !behind.isEmpty());
    }

    private static StoreBuilder<KeyValueStore<Bytes, byte[]>> store(String name) {
        return Stores.keyValueStoreBuilder(Stores.persistentKeyValueStore(name), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingDisabled()
                .withLoggingEnabled(
                        Map.of(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(Topics.MAX_MESSAGE_BYTES)));
    }
}
