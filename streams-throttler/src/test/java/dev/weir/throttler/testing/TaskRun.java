package dev.weir.throttler.testing;

import dev.weir.contracts.kafka.Topics;
import dev.weir.throttler.topology.BoundedMemory;
import dev.weir.throttler.topology.ThrottleTopology;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.test.TestRecord;
import org.jspecify.annotations.Nullable;

/** One run of the throttle's task, from its start to its end. Not thread-safe. */
final class TaskRun implements AutoCloseable {
    private static final String APPLICATION_ID = "weir-throttler-test";
    private static final TaskId TASK = new TaskId(0, 0);
    private static final List<String> SINKS =
            List.of(Topics.DEAD_LETTERS, Topics.JOB_EVENTS, Topics.DISPATCH, Topics.FORECASTS);
    private static final List<String> STORES = List.of(ThrottleTopology.JOBS_STORE, ThrottleTopology.HEADS_STORE);

    private final TopologyTestDriver driver;
    private final Map<String, TestInputTopic<String, byte[]>> inputs = new HashMap<>();
    private final Map<String, TestOutputTopic<byte[], byte[]>> sinks = new LinkedHashMap<>();
    private final Map<String, TestOutputTopic<byte[], byte[]>> changelogs = new HashMap<>();

    /** Where what the task writes goes. */
    interface Written {
        void toTopic(String topic, String key, byte[] value);

        void toStore(String store, byte[] key, byte[] value);
    }

    TaskRun(Topology topology, Path stateDir, Instant at, Changelog changelog) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "unused:0");
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
        settings.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
        settings.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedMemory.class);
        changelog.restore(settings, stateDir.resolve(APPLICATION_ID).resolve(TASK.toString()), TASK);
        driver = new TopologyTestDriver(topology, settings, at);
        SINKS.forEach(topic -> sinks.put(topic, output(topic)));
        STORES.forEach(store -> changelogs.put(store, output(APPLICATION_ID + "-" + store + "-changelog")));
    }

    void pipe(String topic, String key, byte @Nullable [] value, Headers headers, Instant at) {
        inputs.computeIfAbsent(
                        topic, t -> driver.createInputTopic(t, new StringSerializer(), new ByteArraySerializer()))
                .pipeInput(new TestRecord<>(key, value, headers, at));
    }

    /** Time goes on; a punctuation that is due runs once, however long it was. */
    void advance(Duration by) {
        driver.advanceWallClockTime(by);
    }

    /** Hands over what was written since the last time, each topic in order; forecasts last, as they tell of all else. */
    void drain(Written written) {
        for (Map.Entry<String, TestOutputTopic<byte[], byte[]>> changelog : changelogs.entrySet()) {
            // The driver warns of a topic that nothing was written to yet.
            while (driver.producedTopicNames().contains(APPLICATION_ID + "-" + changelog.getKey() + "-changelog")
                    && !changelog.getValue().isEmpty()) {
                TestRecord<byte[], byte[]> record = changelog.getValue().readRecord();
                written.toStore(changelog.getKey(), record.key(), record.value());
            }
        }
        for (Map.Entry<String, TestOutputTopic<byte[], byte[]>> sink : sinks.entrySet()) {
            while (!sink.getValue().isEmpty()) {
                TestRecord<byte[], byte[]> record = sink.getValue().readRecord();
                written.toTopic(sink.getKey(), new String(record.key(), StandardCharsets.UTF_8), record.value());
            }
        }
    }

    @Override
    public void close() {
        driver.close();
    }

    private TestOutputTopic<byte[], byte[]> output(String topic) {
        return driver.createOutputTopic(topic, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }
}
