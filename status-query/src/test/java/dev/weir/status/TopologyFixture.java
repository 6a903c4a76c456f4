package dev.weir.status;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.query.PositionBound;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryConfig;
import org.apache.kafka.streams.query.QueryResult;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** The topology on its one test partition, with the settings it really runs with. */
final class TopologyFixture implements AutoCloseable {
    static final Instant T0 = Instant.parse("2026-11-22T10:00:00Z");
    static final String ID = "0193507a-0000-7000-8000-000000000001";

    final Progress progress = new Progress(1, () -> 0);
    final LaneHeads lanes = new LaneHeads();
    final Endings endings = new Endings();
    final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    final TopologyTestDriver driver;
    final TestInputTopic<String, byte[]> accepted;
    final TestInputTopic<String, byte[]> events;
    private final StoreMemory memory = new StoreMemory();

    TopologyFixture(Path stateDir) {
        KafkaSettings kafka =
                new KafkaSettings("unused:9092", "test", stateDir, (short) 1, KafkaSettings.SESSION_TIMEOUT);
        driver = new TopologyTestDriver(
                new StatusTopology(progress, lanes, endings, metrics, true).get(),
                StatusStreams.settings(kafka, memory, null),
                T0);
        accepted = driver.createInputTopic(Topics.ACCEPTED, new StringSerializer(), new ByteArraySerializer());
        events = driver.createInputTopic(Topics.JOB_EVENTS, new StringSerializer(), new ByteArraySerializer());
        progress.catchingUp().forEach(progress::caughtUp);
    }

    KeyValueStore<String, JobEvent> jobs() {
        return driver.getKeyValueStore(StatusTopology.JOBS);
    }

    /** As the stores of a running instance are asked. */
    LocalStores stores() {
        return new LocalStores() {
            @Override
            public <R> QueryResult<R> query(String store, int partition, Query<R> query) {
                return driver.getAllStateStores()
                        .get(store)
                        .query(query, PositionBound.unbounded(), new QueryConfig(false));
            }
        };
    }

    /** @param end of {@code weir.accepted} */
    JobFinder finder(LongSupplier end, Executor executor) {
        JobLookup lookup = new JobLookup(
                progress, partition -> CompletableFuture.completedFuture(end.getAsLong()), stores(), executor);
        return new JobFinder(lookup, progress, stores(), Routing.ALONE, new Peers(null), executor);
    }

    void accept(String id) {
        accepted.pipeInput(
                id, Json.bytes(new Accepted(1, id, "local", "gemini", Priority.NORMAL, null, T0, "hash-" + id, 1)));
    }

    void tell(JobEvent event) {
        events.pipeInput(event.id(), Json.bytes(event));
    }

    static JobEvent event(
            String id,
            JobStatus status,
            long revision,
            int attempts,
            @Nullable Long laneSeq,
            @Nullable Instant dueAt,
            boolean answered) {
        return new JobEvent(
                JobEvent.VERSION,
                id,
                "local",
                "gemini",
                status,
                revision,
                attempts,
                Priority.NORMAL,
                laneSeq == null ? null : "local",
                laneSeq,
                laneSeq,
                T0,
                T0.plusSeconds(revision),
                dueAt,
                status.finished() ? T0.plusSeconds(revision) : null,
                null,
                answered,
                "hash-" + id,
                null,
                1,
                null);
    }

    static JobEvent event(JobStatus status, long revision) {
        return event(ID, status, revision, 0, null, null, false);
    }

    @Override
    public void close() {
        driver.close();
        memory.close();
    }
}
