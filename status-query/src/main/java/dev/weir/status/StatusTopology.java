package dev.weir.status;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.status.usage.UsageTopology;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * {@code weir.accepted} and {@code weir.job-events} → the newest state of each job, in one store; and the job events go on to be
 * counted.
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
    /** Not a job's id: under it the newest instant at which the store was written to. */
    static final String BEAT = "!beat";
    /** Finished jobs by when they finished, each with its key in {@link #LISTING}. */
    static final String ENDS = "ends";
    /** {@link Listing}: the jobs of a tenant, the newest first. */
    static final String LISTING = "listing";
    /** A job is known so long after its end. */
    static final Duration KEEP_FINISHED = Duration.ofDays(7);

    /** A changelog has forgotten within about two days what the store has forgotten. */
    private static final Duration COMPACT_WITHIN = Duration.ofDays(1);

    /** The changelogs hold small records: with segments of the usual size they would hardly ever be compacted. */
    private static final Map<String, String> CHANGELOG = Map.of(
            TopicConfig.SEGMENT_BYTES_CONFIG,
            Integer.toString(32 * 1024 * 1024),
            TopicConfig.MAX_COMPACTION_LAG_MS_CONFIG,
            Long.toString(COMPACT_WITHIN.toMillis()),
            TopicConfig.DELETE_RETENTION_MS_CONFIG,
            Long.toString(COMPACT_WITHIN.toMillis()),
            TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
            Integer.toString(Topics.MAX_MESSAGE_BYTES));

    private final Progress progress;
    private final List<StateListener> listeners;
    private final MeterRegistry metrics;
    private final boolean beats;

    /** @param beats whether copies of the stores have to know how old they are */
    StatusTopology(Progress progress, List<StateListener> listeners, MeterRegistry metrics, boolean beats) {
        this.beats = beats;
        this.progress = progress;
        this.listeners = listeners;
        this.metrics = metrics;
    }

    @Override
    public Topology get() {
        Topology topology = new Topology()
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
                        () -> new JobStatesProcessor(progress, listeners, metrics, beats),
                        ACCEPTED_SOURCE,
                        EVENTS_SOURCE)
                .addStateStore(
                        Stores.keyValueStoreBuilder(
                                        QueryableStore.supplier(JOBS), Serdes.String(), Json.serde(JobEvent.class))
                                .withCachingDisabled()
                                .withLoggingEnabled(CHANGELOG),
                        PROCESSOR)
                .addStateStore(index(ENDS), PROCESSOR)
                .addStateStore(index(LISTING), PROCESSOR);
        UsageTopology.addTo(topology, PROCESSOR);
        return topology;
    }

    private static StoreBuilder<KeyValueStore<Bytes, byte[]>> index(String name) {
        return Stores.keyValueStoreBuilder(QueryableStore.supplier(name), Serdes.Bytes(), Serdes.ByteArray())
                .withCachingDisabled()
                .withLoggingEnabled(CHANGELOG);
    }
}
