package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.EmbeddedKafka;
import dev.weir.standalone.EmbeddedPostgresServer;
import dev.weir.standalone.TestPorts;
import dev.weir.standalone.fake.FakeUpstream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each role in a process of its own, against a Kafka and a PostgreSQL that are not Weir's; through a PgBouncer where there is
 * one.
 */
class RolesIT {
    private static final int JOBS = 60;
    /** Of a PgBouncer to PostgreSQL; two dispatchers and a status service would have eleven. */
    private static final int SERVER_CONNECTIONS = 3;

    @TempDir
    Path dir;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @Test
    void shouldTakeAJobFromTheIngressToItsResult_whenEveryRoleRunsAlone() throws Exception {
        List<Process> processes = new ArrayList<>();
        try (FakeUpstream upstream = PaceIT.upstream();
                EmbeddedKafka kafka = new EmbeddedKafka(dir.resolve("kafka"), 0);
                EmbeddedPostgresServer postgres =
                        new EmbeddedPostgresServer(dir.resolve("postgres"), 0, InstantSource.system());
                PgBouncer bouncer = PgBouncer.ifInstalled(postgres.url(), SERVER_CONNECTIONS)) {
            String database = bouncer == null ? postgres.url() : bouncer.url();
            try {
                Path config = dir.resolve("weir.yaml");
                Files.writeString(config, PaceIT.thousandAMinute(upstream));
                int status = TestPorts.next();
                int ingress = TestPorts.next();
                int firstDispatcher = TestPorts.next();
                int secondDispatcher = TestPorts.next();
                processes.add(role("throttler", TestPorts.next(), config, kafka, database, status));
                processes.add(role("status", status, config, kafka, database, status));
                processes.add(role("dispatcher", firstDispatcher, config, kafka, database, status));
                processes.add(role("dispatcher", secondDispatcher, config, kafka, database, status));
                processes.add(role("ingress", ingress, config, kafka, database, status));
                for (int port : List.of(status, ingress, firstDispatcher, secondDispatcher)) {
                    await().atMost(Duration.ofSeconds(120)).until(() -> ready(port));
                }
                assertThat(processes).allMatch(Process::isAlive);

                List<String> jobs = new ArrayList<>();
                for (int i = 0; i < JOBS; i++) {
                    JsonNode job =
                            Json.MAPPER.readTree(submit(ingress, "key-" + i, i).body());
                    jobs.add(job.path("id").asText());
                    HttpResponse<String> asked =
                            get(status, "/v1/jobs/" + job.path("id").asText());
                    assertThat(asked.statusCode()).as(asked.body()).isEqualTo(200);
                }
                assertThat(Json.MAPPER
                                .readTree(submit(ingress, "key-0", 0).body())
                                .path("id")
                                .asText())
                        .isEqualTo(jobs.get(0));
                assertThat(submit(ingress, "key-0", 1).statusCode()).isEqualTo(422);

                shouldNotStart_whenItsConnectionsExceedTheBudget(
                        command("dispatcher", TestPorts.next(), config, kafka, database, status));
                for (String job : jobs) {
                    await().pollDelay(Duration.ZERO)
                            .atMost(Duration.ofSeconds(60))
                            .until(() -> Json.MAPPER
                                            .readTree(get(status, "/v1/jobs/" + job)
                                                    .body())
                                            .at("/result/status")
                                            .asInt()
                                    == 200);
                }
                shouldCancelAndChangeAcrossProcesses(ingress, status);
                assertThat(upstream.log().stats().distinctJobs()).isEqualTo(JOBS);
                assertThat(upstream.log().stats().duplicates()).isZero();
                assertThat(connections(postgres)).isLessThanOrEqualTo(bouncer == null ? 11 : SERVER_CONNECTIONS);
            } finally {
                processes.forEach(Process::destroy);
                for (Process process : processes) {
                    if (!process.waitFor(30, TimeUnit.SECONDS)) {
                        process.destroyForcibly();
                    }
                }
            }
        }
    }

    /** The decision and the revision come from other processes than the one that asks for them. */
    private void shouldCancelAndChangeAcrossProcesses(int ingress, int status) throws Exception {
        HttpResponse<String> paused = send(ingress, "POST", "/v1/upstreams/counted/pause");
        assertThat(paused.statusCode()).as(paused.body()).isEqualTo(200);
        String job = Json.MAPPER
                .readTree(submit(ingress, "to be cancelled", 1).body())
                .path("id")
                .asText();

        HttpResponse<String> cancelled = send(ingress, "DELETE", "/v1/jobs/" + job);

        assertThat(cancelled.statusCode()).as(cancelled.body()).isEqualTo(200);
        assertThat(get(status, "/v1/jobs/" + job).body()).contains("\"cancelled\"");
        assertThat(get(status, "/v1/upstreams/counted").body()).contains("\"paused\"");
    }

    private HttpResponse<String> send(int port, String method, String path) throws Exception {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** One status service and two dispatchers have 5 and 3 each. */
    private void shouldNotStart_whenItsConnectionsExceedTheBudget(ProcessBuilder oneMore) throws Exception {
        oneMore.environment().put("WEIR_DATABASE_CONNECTIONS", "13");
        Path errors = dir.resolve("one-more.log");

        Process process = oneMore.redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(errors.toFile())
                .start();
        try {
            assertThat(process.waitFor(60, TimeUnit.SECONDS))
                    .as(() -> "it ends, and does not run: " + errors)
                    .isTrue();
            assertThat(process.exitValue()).isEqualTo(1);
            assertThat(Files.readAllLines(errors))
                    .filteredOn(line -> line.startsWith("weir dispatcher:"))
                    .singleElement()
                    .asString()
                    .contains("needs 3 connections", "is 13, of which 11 are claimed (2 dispatcher: 6, 1 status: 5)");
        } finally {
            process.destroyForcibly();
        }
    }

    private Process role(String role, int port, Path config, EmbeddedKafka kafka, String database, int statusPort)
            throws IOException {
        return command(role, port, config, kafka, database, statusPort)
                .redirectErrorStream(true)
                .redirectOutput(dir.resolve(role + "-" + port + ".log").toFile())
                .start();
    }

    private ProcessBuilder command(
            String role, int port, Path config, EmbeddedKafka kafka, String database, int statusPort) {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.weir.standalone.Main",
                role);
        builder.environment().put("WEIR_PORT", Integer.toString(port));
        builder.environment().put("WEIR_CONFIG", config.toString());
        builder.environment().put("WEIR_BOOTSTRAP_SERVERS", kafka.bootstrapServers());
        builder.environment().put("WEIR_DATABASE_URL", database);
        builder.environment().put("WEIR_STATUS_URL", "http://127.0.0.1:" + statusPort);
        builder.environment().put("WEIR_REPLICATION", "1");
        builder.environment().put("WEIR_STATE_DIR", dir.resolve("state").toString());
        return builder;
    }

    /** Those of Weir, by PostgreSQL's own count. */
    private static int connections(EmbeddedPostgresServer postgres) throws SQLException {
        try (Connection connection = DriverManager.getConnection(postgres.url());
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "select count(*) from pg_stat_activity where usename = 'weir' and pid <> pg_backend_pid()")) {
            assertThat(row.next()).isTrue();
            return row.getInt(1);
        }
    }

    private HttpResponse<String> submit(int port, String key, int n) throws Exception {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/jobs"))
                        .header("Content-Type", "application/json")
                        .header("Idempotency-Key", key)
                        .POST(HttpRequest.BodyPublishers.ofString(
                                "{\"upstream\":\"counted\",\"request\":{\"path\":\"/x\",\"body\":" + n + "}}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> get(int port, String path) throws Exception {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private boolean ready(int port) throws Exception {
        try {
            return get(port, "/readyz").statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }
}
