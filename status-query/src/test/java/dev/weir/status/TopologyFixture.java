package dev.weir.status;

import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import io.javalin.config.RoutesConfig;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
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
    final Changes changes = new Changes();
    /** How soon an open stream of events tells of a place that moved, and how long it waits for a result. */
    Duration refresh = EventRoutes.REFRESH;

    Duration resultPatience = EventRoutes.RESULT_PATIENCE;
    /** Hears of each change, once a test sets it. */
    StateListener listener = (from, to) -> {};

    final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    final TopologyTestDriver driver;
    final TestInputTopic<String, byte[]> accepted;
    final TestInputTopic<String, byte[]> events;
    private final StoreMemory memory = new StoreMemory();

    TopologyFixture(Path stateDir) {
        driver = driver(stateDir);
        accepted = driver.createInputTopic(Topics.ACCEPTED, new StringSerializer(), new ByteArraySerializer());
        events = driver.createInputTopic(Topics.JOB_EVENTS, new StringSerializer(), new ByteArraySerializer());
        progress.catchingUp().forEach(progress::caughtUp);
    }

    private TopologyTestDriver driver(Path stateDir) {
        KafkaSettings kafka =
                new KafkaSettings("unused:9092", "test", stateDir, (short) 1, KafkaSettings.SESSION_TIMEOUT);
        return new TopologyTestDriver(
                new StatusTopology(progress, List.of(lanes, changes, endings, this::moved), metrics, true).get(),
                StatusStreams.settings(kafka, memory, null),
                T0);
    }

    private void moved(@Nullable JobEvent from, JobEvent to) {
        listener.moved(from, to);
    }

    KeyValueStore<String, JobEvent> jobs() {
        return driver.getKeyValueStore(StatusTopology.JOBS);
    }

    <K, V> KeyValueStore<K, V> store(String name) {
        return driver.getKeyValueStore(name);
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
        return new JobFinder(
                lookup,
                progress,
                stores(),
                Routing.ALONE,
                new Peers(null),
                changes,
                JobFinder.SinceLost.NOTHING,
                executor);
    }

    /** Everything that the service answers, from these stores. */
    Consumer<RoutesConfig> routes(
            Upstreams upstreams,
            CompactedTopic<Forecast> forecasts,
            JobResults results,
            LongSupplier endOfAccepted,
            Executor executor,
            InstantSource clock) {
        JobFinder jobs = finder(endOfAccepted, executor);
        EveryPartition everywhere = new EveryPartition(progress, stores(), Routing.ALONE, new Peers(null), executor);
        Waits waits = new Waits(forecasts::of, lanes, clock);
        JobViews views = new JobViews(waits, results);
        JobEnds ends = new JobEnds(jobs, views, endings, executor);
        JobLists lists = new JobLists(stores(), everywhere);
        UsageRoutes usage = new UsageRoutes(everywhere, stores(), upstreams, forecasts::of, clock);
        return routes -> {
            new StatusRoutes(upstreams, jobs, views, forecasts, clock).register(routes);
            new ListRoutes(lists, views, clock).register(routes);
            new EventRoutes(jobs, views, executor, refresh, resultPatience).register(routes);
            usage.register(routes);
            new InternalRoutes(jobs, ends, everywhere, lists, usage).register(routes);
        };
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
        return new JobEventBuilder(id, status, revision)
                .attempts(attempts)
                .laneSeq(laneSeq)
                .dueAt(dueAt)
                .answered(answered)
                .build();
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
