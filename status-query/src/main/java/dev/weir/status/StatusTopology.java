package dev.weir.status;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.Stores;

/**
 * {@code weir.accepted} and {@code weir.job-events} → the newest state of each job, in one store.
 *
 * <p>Values come in as bytes and are parsed by the processor, so that a poison record still counts as passed: a lookup that
 * waits for the end of the partition must not wait for ever.
 */
final class StatusTopology implements Supplier<Topology> {
    static final String ACCEPTED_SOURCE = "accepted";
    static final String EVENTS_SOURCE = "job-events";
    static final String PROCESSOR = "job-states";
    /** {@link JobEvent} by job id; an accepted job is one of revision 0. */
    static final String JOBS = "jobs";
    /** Finished jobs by when they finished. */
    static final String ENDS = "ends";
    /** A job is known so long after its end. */
    static final Duration KEEP_FINISHED = Duration.ofDays(7);

    /** The changelogs hold small records: with segments of the usual size they would hardly ever be compacted. */
    private static final Map<String, String> CHANGELOG = Map.of(
            TopicConfig.SEGMENT_BYTES_CONFIG,
            Integer.toString(32 * 1024 * 1024),
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
            Integer.toString(Topics.MAX_MESSAGE_BYTES));

    private final Progress progress;
    private final LaneHeads lanes;
    private final MeterRegistry metrics;

    StatusTopology(Progress progress, LaneHeads lanes, MeterRegistry metrics) {
        this.progress = progress;
        this.lanes = lanes;
        this.metrics = metrics;
    }

    @Override
    public Topology get() {
        return new Topology()
                .addSource(
                        ACCEPTED_SOURCE,
                        new StringDeserializer(),
                        Serdes.ByteArray().deserializer(),
                        Topics.ACCEPTED)
                .addSource(
                        EVENTS_SOURCE,
                        new StringDeserializer(),
                        Serdes.ByteArray().deserializer(),
                        Topics.JOB_EVENTS)
                .addProcessor(
                        PROCESSOR,
                        () -> new JobStatesProcessor(progress, lanes, metrics),
                        ACCEPTED_SOURCE,
                        EVENTS_SOURCE)
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                        Stores.persistentKeyValueStore(JOBS),
                                        Serdes.String(),
                                        Json.serde(JobEvent.class))
                                .withCachingDisabled()
                                .withLoggingEnabled(CHANGELOG),
                        PROCESSOR)
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                        Stores.persistentKeyValueStore(ENDS), Serdes.Bytes(), Serdes.ByteArray())
                                .withCachingDisabled()
                                .withLoggingEnabled(CHANGELOG),
                        PROCESSOR);
    }
}
