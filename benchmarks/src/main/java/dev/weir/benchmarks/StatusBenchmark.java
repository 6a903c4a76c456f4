package dev.weir.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.db.Database;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import dev.weir.standalone.Directories;
import dev.weir.standalone.cli.PrintingCommand;
import dev.weir.status.StatusQuery;
import io.javalin.Javalin;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code GET /v1/jobs/{id}} of waiting jobs, with place and ETA, beside a get of the same bytes from a bare RocksDB over a bare
 * Javalin. Broker, stores, both servers and the load are in one process, and take turns.
 */
@Command(
        name = "status",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Status queries at a set rate over a full store, beside a bare RocksDB over HTTP.")
final class StatusBenchmark extends PrintingCommand {
    private static final String UPSTREAM = "quota";
    private static final double GOAL_P99_MS = 10;
    private static final Duration LONGEST_SYNC = Duration.ofSeconds(60);
    private static final String BODY_HASH = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private static final String PATH = "/v1/jobs/";

    @Option(names = "--jobs", description = "In the store.")
    int jobs = 1_000_000;

    @Option(names = "--lanes", description = "That the jobs stand in.")
    int lanes = 100;

    @Option(names = "--rate", description = "Requests a second.")
    int rate = 2_000;

    @Option(names = "--connections", description = "That stay open.")
    int connections = 64;

    @Option(names = "--seconds", description = "Of each run.")
    int seconds = 15;

    @Option(names = "--rounds", description = "That count; one more comes before them, to warm up.")
    int rounds = 3;

    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    @Override
    public Integer call() throws Exception {
        PrintWriter out = out();
        Path directory = Files.createTempDirectory("weir-bare");
        try (Broker broker = new Broker();
                Options options = new Options().setCreateIfMissing(true);
                RocksDB bare = RocksDB.open(options, directory.toString());
                // Waiting jobs have no results.
                Database nowhere = new Database("postgresql://127.0.0.1:1/none", 1, "benchmark", metrics);
                StatusQuery status = status(broker.settings(), nowhere)) {
            fill(broker, bare);
            long startedNs = System.nanoTime();
            status.start();
            Broker.await(
                    "the store",
                    () -> status.notReady() == null && broker.committed("weir-status", Topics.JOB_EVENTS) >= jobs);
            out.printf(
                    Locale.ROOT, "%,d jobs in the store after %.0f s%n", jobs, (System.nanoTime() - startedNs) / 1e9);
            out.flush();
            settle();
            return measure(out, status, bare);
        } finally {
            Directories.delete(directory);
        }
    }

    /** What fills the stores is not what is measured: the disk would be writing it for a minute yet. */
    private static void settle() throws IOException, InterruptedException {
        Process sync = new ProcessBuilder("sync").start();
        if (!sync.waitFor(LONGEST_SYNC.toSeconds(), TimeUnit.SECONDS)) {
            sync.destroy();
        }
    }

    private StatusQuery status(KafkaSettings kafka, Database database) {
        UpstreamConfig upstream = new UpstreamConfig(
                UPSTREAM,
                URI.create("http://127.0.0.1:1"),
                UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1))),
                null);
        CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(kafka);
        forecasts.wrote(UPSTREAM, forecast(), 1);
        return new StatusQuery(
                kafka,
                new Upstreams(new WeirConfig(Map.of(UPSTREAM, upstream), WeirConfig.DEFAULT_MAX_BODY_BYTES), kafka),
                forecasts,
                database,
                metrics,
                new AnchoredClock(),
                null,
                null);
    }

    private int measure(PrintWriter out, StatusQuery status, RocksDB bare) throws IOException, InterruptedException {
        Javalin store = Javalin.create(config -> {
            config.startup.showJavalinBanner = false;
            config.jetty.threadPool = new QueuedThreadPool(HttpServer.THREADS, HttpServer.THREADS);
            config.routes.get(PATH + "{id}", ctx -> {
                byte[] found = bare.get(ctx.pathParam("id").getBytes(US_ASCII));
                ctx.status(found == null ? 404 : 200)
                        .contentType("application/json")
                        .result(found == null ? new byte[0] : found);
            });
        });
        store.start("127.0.0.1", 0);
        boolean met = true;
        try (HttpServer server = new HttpServer("127.0.0.1", 0, 1024, List.of(status::routes), Map.of(), metrics)) {
            requirePlaceAndEta(server.port());
            out.printf("%-8s%-8s%10s%10s%10s%10s%10s%n", "", "", "p50 ms", "p99 ms", "p99.9 ms", "most ms", "not 200");
            for (int round = 0; round <= rounds; round++) {
                PacedLoad.Result weir = load(server.port(), round);
                PacedLoad.Result plain = load(store.port(), round);
                print(out, "weir", round, weir);
                print(out, "bare", round, plain);
                met &= round == 0 || (weir.ms(0.99) < GOAL_P99_MS && weir.refused() == 0);
            }
        } finally {
            store.stop();
        }
        out.printf(Locale.ROOT, "goal: p99 under %.0f ms: %s%n", GOAL_P99_MS, met ? "met" : "missed");
        out.flush();
        return met ? 0 : 1;
    }

    private PacedLoad.Result load(int port, int round) throws InterruptedException {
        int[] ids = new Random(round).ints((long) rate * seconds, 0, jobs).toArray();
        IntFunction<byte[]> requests =
                n -> ("GET " + PATH + id(ids[n]) + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").getBytes(US_ASCII);
        return new PacedLoad(port, requests, 200, connections, rate, 0, seconds).run();
    }

    private static void print(PrintWriter out, String kind, int round, PacedLoad.Result result) {
        out.printf(
                Locale.ROOT,
                "%-8s%-8s%10.2f%10.2f%10.2f%10.2f%10d%n",
                kind,
                round == 0 ? "warm-up" : Integer.toString(round),
                result.ms(0.5),
                result.ms(0.99),
                result.ms(0.999),
                result.ms(1),
                result.refused());
        out.flush();
    }

    /** An answer without them would be quick for no reason. */
    private void requirePlaceAndEta(int port) throws IOException, InterruptedException {
        int n = jobs / 2;
        String body = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + PATH + id(n)))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
        if (!body.contains("\"position\":" + (n / lanes + 1) + ",") || !body.contains("\"eta\":\"")) {
            throw new IllegalStateException("a job has no place or no ETA: " + body);
        }
    }

    private void fill(Broker broker, RocksDB bare) throws RocksDBException {
        Instant now = Instant.now();
        try (Feed feed = broker.feed()) {
            for (int n = 0; n < jobs; n++) {
                byte[] event = Json.bytes(job(n, now));
                feed.send(Topics.JOB_EVENTS, id(n), event);
                bare.put(id(n).getBytes(US_ASCII), event);
            }
        }
    }

    private JobEvent job(int n, Instant now) {
        String tenant = tenant(n % lanes);
        long seq = n / lanes;
        return new JobEvent(
                JobEvent.VERSION,
                id(n),
                tenant,
                UPSTREAM,
                JobStatus.QUEUED,
                1,
                0,
                Priority.NORMAL,
                tenant,
                seq,
                seq,
                now,
                now,
                null,
                null,
                null,
                false,
                BODY_HASH,
                null,
                1,
                null);
    }

    private static String tenant(int lane) {
        return "tenant-" + lane;
    }

    private static String id(int n) {
        return new UUID(0x0193507a00007000L, 0x8000000000000000L + n).toString();
    }

    private Forecast forecast() {
        Instant now = Instant.now();
        return new Forecast(
                Forecast.VERSION,
                UPSTREAM,
                now,
                "running",
                "PT1M",
                "closed",
                false,
                0,
                Weights.DEFAULT,
                List.of(new Forecast.Window(Duration.ofMinutes(1), 1000, 900, 900, now)),
                new Forecast.Queue(jobs, jobs, 0, 0, 0, now, now),
                0,
                IntStream.range(0, lanes)
                        .mapToObj(lane -> Forecast.Lane.of(tenant(lane), Priority.NORMAL, 0, jobs / lanes + 1, 2, 1))
                        .toList(),
                List.of(new Forecast.BreakPoint(0, now, 66_666_667)),
                null,
                null);
    }
}
