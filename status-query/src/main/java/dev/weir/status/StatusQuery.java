package dev.weir.status;

import dev.weir.contracts.db.Database;
import dev.weir.contracts.http.FinishedJobs;
import dev.weir.contracts.http.KnownJobs;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import io.javalin.config.RoutesConfig;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.state.HostInfo;
import org.jspecify.annotations.Nullable;

/** The status service: the state of each job and of each upstream, over HTTP and in-process. Thread-safe. */
public final class StatusQuery implements AutoCloseable {
    private static final int LOOKUP_THREADS = 2;
    /** At most so many lookups wait, each for one thread at a time. */
    private static final int MOST_QUEUED_LOOKUPS = JobLookup.MOST_WAITING;

    /** Lists and usage, which read many entries each. */
    private static final int SCAN_THREADS = 2;

    private static final int MOST_QUEUED_SCANS = 64;
    /** A client that does not read holds one for a while. */
    private static final int EVENT_THREADS = 4;

    private final Admin admin;
    private final StatusStreams streams;
    private final CatchUp catchUp;
    private final Progress progress = new Progress(Topics.JOB_PARTITIONS, System::nanoTime);
    private final LostPartitions lost;
    private final ThreadPoolExecutor lookups;
    private final ThreadPoolExecutor scans;
    private final ThreadPoolExecutor writes;
    private final JobFinder jobs;
    private final JobEnds jobEnds;
    private final JobResults results;
    private final EventRoutes events;
    private final List<java.util.function.Consumer<RoutesConfig>> routes;

    /**
     * @param self {@code host:port} at which the other instances reach this one's HTTP; null when it is and stays the only
     *     one
     * @param peerToken by which the instances know each other; null where no clients are configured
     * @throws IllegalArgumentException when {@code self} is no host and port
     */
    public StatusQuery(
            KafkaSettings kafka,
            Upstreams upstreams,
            CompactedTopic<Forecast> forecasts,
            Database database,
            PrometheusMeterRegistry metrics,
            InstantSource clock,
            @Nullable String self,
            @Nullable String peerToken) {
        HostInfo selfInfo = self == null ? null : hostInfo(self);
        LaneHeads lanes = new LaneHeads();
        Waits waits = new Waits(forecasts::of, lanes, clock);
        Changes changes = new Changes();
        Endings endings = new Endings();
        List<StateListener> listeners = List.of(lanes, changes, endings, new EtaErrors(waits, metrics, clock));
        partitions(metrics, "active", () -> progress.caughtUp().size());
        partitions(metrics, "catching-up", () -> progress.catchingUp().size());
        admin = Admin.create(kafka.common());
        streams = new StatusStreams(
                new StatusTopology(progress, listeners, metrics, selfInfo != null).get(), kafka, selfInfo);
        catchUp = new CatchUp(admin, StatusStreams.APPLICATION_ID, progress);
        lookups = pool("status-lookups", LOOKUP_THREADS, MOST_QUEUED_LOOKUPS);
        scans = pool("status-scans", SCAN_THREADS, MOST_QUEUED_SCANS);
        // Never full: a stream has one step at a time.
        writes = pool("status-events", EVENT_THREADS, 2 * EventRoutes.MOST_STREAMS);
        EndOffsets ends = new EndOffsets(admin, progress.partitions());
        Peers peers = new Peers(peerToken);
        lost = new LostPartitions(admin, StatusStreams.APPLICATION_ID, ends::accepted, () -> consumer(kafka));
        jobs = new JobFinder(
                new JobLookup(progress, ends::accepted, streams, lookups),
                progress,
                streams,
                streams,
                peers,
                changes,
                selfInfo == null ? JobFinder.SinceLost.NOTHING : lost::newest,
                lookups);
        EveryPartition everywhere = new EveryPartition(progress, streams, streams, peers, scans);
        JobLists lists = new JobLists(streams, everywhere);
        results = new JobResults(database.dataSource(), metrics, clock);
        JobViews views = new JobViews(waits, results);
        jobEnds = new JobEnds(jobs, views, endings, lookups);
        events = new EventRoutes(jobs, views, writes);
        UsageRoutes usage = new UsageRoutes(everywhere, streams, upstreams, forecasts::of, clock);
        routes = List.of(
                new StatusRoutes(upstreams, jobs, views, forecasts, clock)::register,
                new ListRoutes(lists, views, clock)::register,
                events::register,
                usage::register,
                new InternalRoutes(jobs, jobEnds, everywhere, lists, usage)::register);
    }

    static Consumer<String, byte[]> consumer(KafkaSettings kafka) {
        Map<String, Object> settings = kafka.common();
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, Topics.MAX_MESSAGE_BYTES);
        return new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
    }

    private static ThreadPoolExecutor pool(String name, int threads, int mostQueued) {
        return new ThreadPoolExecutor(
                threads, threads, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(mostQueued), task -> {
                    Thread thread = new Thread(task, name);
                    thread.setDaemon(true);
                    return thread;
                });
    }

    private static void partitions(PrometheusMeterRegistry metrics, String state, Supplier<Number> count) {
        Gauge.builder("weir_status_partitions", count)
                .description("Partitions of the status store on this instance")
                .tag("state", state)
                .register(metrics);
    }

    private static HostInfo hostInfo(String hostAndPort) {
        HostInfo info = HostInfo.buildFromEndpoint(hostAndPort);
        if (info == null) {
            throw new IllegalArgumentException("expected host:port, but it is " + hostAndPort);
        }
        return info;
    }

    /** Begins to read; {@link #notReady()} says when it has caught up. The topics must exist. */
    public void start() {
        streams.start();
        catchUp.start();
    }

    public void routes(RoutesConfig registered) {
        routes.forEach(route -> route.accept(registered));
    }

    /** Null when ready, else why not. PostgreSQL is not asked: without it all but the results is served. */
    public @Nullable String notReady() {
        String reason = streams.notReady();
        if (reason != null) {
            return reason;
        }
        List<Progress.Life> behind = progress.catchingUp();
        return behind.isEmpty() ? null : behind.size() + " partitions of the status store are catching up";
    }

    /** Ends what would go on for as long as jobs do, so that the server can stop. Everything else is answered as before. */
    public void drain() {
        events.close();
    }

    public KnownJobs knownJobs() {
        return jobs;
    }

    public FinishedJobs finishedJobs() {
        return jobEnds;
    }

    @Override
    public void close() {
        catchUp.close();
        streams.close();
        events.close();
        lost.close();
        lookups.shutdownNow();
        scans.shutdownNow();
        writes.shutdownNow();
        results.close();
        admin.close(StatusStreams.CLOSE_TIMEOUT);
    }
}
