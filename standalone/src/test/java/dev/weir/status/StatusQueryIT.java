package dev.weir.status;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.db.Database;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.standalone.EmbeddedKafka;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The status service on a real broker, without PostgreSQL. */
final class StatusQueryIT {
    private static final int JOBS = 2_000;
    private static final Duration UNTIL_READY = Duration.ofSeconds(60);

    private final HttpClient client = HttpClient.newHttpClient();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private Path directory;

    @SuppressWarnings("NullAway.Init")
    private EmbeddedKafka broker;

    @SuppressWarnings("NullAway.Init")
    private KafkaSettings kafka;

    @BeforeEach
    void open() throws InterruptedException {
        broker = new EmbeddedKafka(directory.resolve("kafka"), 0);
        kafka = settings("state");
        try (Admin admin = Admin.create(kafka.common())) {
            Topics.ensure(admin, (short) 1);
        }
    }

    @AfterEach
    void close() {
        broker.close();
    }

    private KafkaSettings settings(String stateDir) {
        return new KafkaSettings(
                broker.bootstrapServers(), "it", directory.resolve(stateDir), (short) 1, KafkaSettings.SESSION_TIMEOUT);
    }

    /** One life of the service, with a server before it. */
    private static final class Service implements AutoCloseable {
        private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        private final CompactedTopic<Forecast> forecasts;
        private final Database database;
        private final StatusQuery status;
        private final HttpServer server;

        Service(KafkaSettings kafka) {
            forecasts = CompactedTopic.forecasts(kafka);
            forecasts.start();
            database = new Database("jdbc:postgresql://127.0.0.1:1/none", 2, "it", metrics);
            status = new StatusQuery(
                    kafka,
                    new Upstreams(new WeirConfig(Map.of(), WeirConfig.DEFAULT_MAX_BODY_BYTES), kafka),
                    forecasts,
                    database,
                    metrics,
                    new AnchoredClock(),
                    null,
                    null);
            server = new HttpServer("127.0.0.1", 0, 1024, List.of(status::routes), Map.of(), metrics);
            status.start();
        }

        void awaitReady() {
            Awaitility.await()
                    .atMost(UNTIL_READY)
                    .untilAsserted(() -> assertThat(status.notReady()).isNull());
        }

        @Override
        public void close() {
            server.close();
            status.close();
            database.close();
            forecasts.close();
        }
    }

    private HttpResponse<String> get(Service service, String id) throws IOException, InterruptedException {
        return get(service.server.port(), "/v1/jobs/" + id);
    }

    private static @Nullable KnownJob find(Service service, String id) throws Exception {
        return service.status.knownJobs().find(id).get(30, TimeUnit.SECONDS);
    }

    @Test
    void shouldNeverBe404_whenAskedRightAfterTheJobWasAccepted() throws Exception {
        List<Long> micros = new ArrayList<>();
        try (Service service = new Service(kafka);
                KafkaProducer<String, byte[]> producer = JobTopics.producer(kafka, null)) {
            service.awaitReady();

            for (int i = 0; i < JOBS; i++) {
                String id = UUID.randomUUID().toString();
                JobTopics.accept(producer, id);
                long asked = System.nanoTime();
                HttpResponse<String> response = get(service, id);
                micros.add((System.nanoTime() - asked) / 1000);
                assertThat(response.statusCode())
                        .as("job %d: %s", i, response.body())
                        .isEqualTo(200);
            }
            assertThat(get(service, UUID.randomUUID().toString()).statusCode()).isEqualTo(404);
        }
        micros.sort(null);
        System.out.printf(
                "GET right after accepted: median %d µs, p99 %d µs, most %d µs%n",
                micros.get(JOBS / 2), micros.get(JOBS * 99 / 100), micros.get(JOBS - 1));
    }

    @Test
    void shouldTellEveryStateAgain_whenStartedAgainWithAndWithoutItsFiles() throws Exception {
        List<String> ids = new ArrayList<>();
        try (KafkaProducer<String, byte[]> producer = JobTopics.producer(kafka, null);
                KafkaProducer<String, byte[]> transactional = JobTopics.producer(kafka, "it-throttle")) {
            transactional.initTransactions();
            transactional.beginTransaction();
            for (int i = 0; i < 100; i++) {
                String id = UUID.randomUUID().toString();
                ids.add(id);
                JobTopics.accept(producer, id);
                JobTopics.tell(transactional, id, JobStatus.SUCCEEDED, 3);
                JobTopics.tell(transactional, id, JobStatus.QUEUED, 1);
            }
            transactional.commitTransaction();
            transactional.beginTransaction();
            JobTopics.tell(transactional, ids.get(0), JobStatus.DEAD, 9);
            transactional.flush();
            transactional.abortTransaction();
        }
        try (Service service = new Service(kafka)) {
            assertEverySucceeded(service, ids);
        }

        try (Service again = new Service(kafka)) {
            assertEverySucceeded(again, ids);
        }
        try (Service elsewhere = new Service(settings("another-state"))) {
            assertEverySucceeded(elsewhere, ids);
            assertThat(find(elsewhere, UUID.randomUUID().toString())).isNull();
        }
    }

    /** From the first ready moment on, and with no wait for the events: none may show a state it had before. */
    private void assertEverySucceeded(Service service, List<String> ids) throws Exception {
        service.awaitReady();
        for (String id : ids) {
            assertThat(get(service, id).body()).contains("\"status\":\"succeeded\"", "\"result\":null");
            assertThat(find(service, id))
                    .isNotNull()
                    .extracting(known -> known.status().finished())
                    .isEqualTo(true);
        }
    }

    private record Child(Process process, int port) {}

    private Child spawn() throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        StatusProcess.class.getName(),
                        broker.bootstrapServers(),
                        directory.resolve("child").toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        BufferedReader out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            if (line.startsWith("port ")) {
                drain(out);
                return new Child(process, Integer.parseInt(line.substring("port ".length())));
            }
        }
        throw new IOException("the status process ended before it told its port");
    }

    /** A full pipe would stop the child. */
    private static void drain(BufferedReader out) {
        Thread drain = new Thread(() -> out.lines().forEach(line -> {}), "drain");
        drain.setDaemon(true);
        drain.start();
    }

    private HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(Duration.ofSeconds(30))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private void awaitStatus(Child child, String id, String status) {
        Awaitility.await()
                .atMost(UNTIL_READY)
                .untilAsserted(
                        () -> assertThat(get(child.port(), "/v1/jobs/" + id).body())
                                .contains("\"status\":\"" + status + "\""));
    }

    @Test
    void shouldNeverStepBackNorForget_whenKilledOrStoppedForLongerThanItsSession() throws Exception {
        String id = UUID.randomUUID().toString();
        Child child = spawn();
        try (KafkaProducer<String, byte[]> producer = JobTopics.producer(kafka, null)) {
            JobTopics.accept(producer, id);
            JobTopics.tell(producer, id, JobStatus.QUEUED, 1);
            JobTopics.tell(producer, id, JobStatus.SUCCEEDED, 3);
            producer.flush();
            awaitStatus(child, id, "succeeded");

            // Killed as soon as it has shown the last state, which it had no time to commit.
            child.process().destroyForcibly().waitFor();
            child = spawn();
            Child restarted = child;
            Awaitility.await().atMost(UNTIL_READY).until(() -> {
                HttpResponse<String> answer = get(restarted.port(), "/v1/jobs/" + id);
                assertThat(answer.statusCode()).as(answer.body()).isIn(200, 503);
                return answer.statusCode() == 200;
            });
            assertThat(get(child.port(), "/v1/jobs/" + id).body()).contains("\"status\":\"succeeded\"");

            signal("STOP", child.process());
            long stopped = System.nanoTime();
            String meanwhile = UUID.randomUUID().toString();
            JobTopics.accept(producer, meanwhile);
            Duration longer = KafkaSettings.SESSION_TIMEOUT.plusSeconds(4);
            Awaitility.await()
                    .atMost(longer.plusSeconds(10))
                    .until(() -> System.nanoTime() - stopped > longer.toNanos());
            signal("CONT", child.process());

            Awaitility.await().atMost(UNTIL_READY).until(() -> {
                HttpResponse<String> old = get(restarted.port(), "/v1/jobs/" + id);
                HttpResponse<String> fresh = get(restarted.port(), "/v1/jobs/" + meanwhile);
                assertThat(old.statusCode()).as(old.body()).isIn(200, 503);
                assertThat(fresh.statusCode()).as(fresh.body()).isIn(200, 503);
                return old.statusCode() == 200 && fresh.statusCode() == 200;
            });
            assertThat(get(child.port(), "/v1/jobs/" + id).body()).contains("\"status\":\"succeeded\"");
            Awaitility.await()
                    .atMost(UNTIL_READY)
                    .until(() -> get(restarted.port(), "/readyz").statusCode() == 200);
        } finally {
            child.process().destroyForcibly().waitFor();
        }
    }

    private static void signal(String name, Process process) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }
}
