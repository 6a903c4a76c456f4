package dev.weir.acceptance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.TestPorts;
import dev.weir.standalone.fake.FakeUpstream;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** The ingress of a real process: clients that wait, one job for a key, slow senders, nonsense, and its end. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class IngressProcessIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** More than the HTTP server has threads. */
    private static final int SLOW_SENDERS = 128;

    @TempDir
    static Path dir;

    @SuppressWarnings("NullAway.Init")
    private static FakeUpstream upstream;

    @SuppressWarnings("NullAway.Init")
    private static WeirProcess weir;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    @BeforeAll
    static void start() throws Exception {
        upstream = PaceIT.upstream();
        weir = new WeirProcess(dir, PaceIT.thousandAMinute(upstream));
        weir.set("WEIR_LEAVE", "1s");
        weir.start();
    }

    @AfterAll
    static void stop() {
        weir.close();
        upstream.close();
    }

    @Test
    @Order(1)
    void shouldAnswer200WithTheResult_whenTheClientWaitsForIt() throws Exception {
        HttpResponse<String> answer =
                send(weir.url(), "waited", job("/waited", "")).get();

        JsonNode job = Json.MAPPER.readTree(answer.body());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Preference-Applied")).hasValue("wait=20");
        assertThat(job.path("status").asText()).isEqualTo("succeeded");
        assertThat(job.at("/result/status").asInt()).isEqualTo(200);
        assertThat(Json.MAPPER.readTree(
                        send(weir.url(), "waited", job("/waited", "")).get().body()))
                .as("asked again with the same key")
                .isEqualTo(job);
    }

    @Test
    @Order(2)
    void shouldBeOneJobAndOneCall_whenAKeyComesAtOnceThroughTwoIngresses_andAfterARestart() throws Exception {
        long calls = upstream.log().stats().distinctJobs();
        int port = TestPorts.next();
        String other = "http://127.0.0.1:" + port;
        Process second = ingress(port);
        try {
            await().atMost(PATIENCE).until(() -> ready(other));
            List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                sent.add(send(i % 2 == 0 ? weir.url() : other, "one", job("/one", "")));
            }
            Set<String> ids = new HashSet<>();
            for (CompletableFuture<HttpResponse<String>> each : sent) {
                assertThat(each.get().statusCode()).as(each.get().body()).isEqualTo(200);
                ids.add(Json.MAPPER.readTree(each.get().body()).path("id").asText());
            }
            assertThat(ids).hasSize(1);
            assertThat(send(other, "one", job("/another", "")).get().statusCode())
                    .isEqualTo(422);

            weir.kill();
            weir.start();

            HttpResponse<String> again =
                    send(weir.url(), "one", job("/one", "")).get();
            assertThat(again.statusCode()).isEqualTo(200);
            assertThat(Json.MAPPER.readTree(again.body()).path("id").asText())
                    .isEqualTo(ids.iterator().next());
            assertThat(send(weir.url(), "one", job("/another", "")).get().statusCode())
                    .isEqualTo(422);
            assertThat(upstream.log().stats().distinctJobs()).isEqualTo(calls + 1);
            assertThat(upstream.log().stats().duplicates()).isZero();
        } finally {
            second.destroy();
            second.waitFor(30, TimeUnit.SECONDS);
        }
    }

    @Test
    @Order(3)
    void shouldServeOthers_whileManySendersAreSlow() throws Exception {
        List<Socket> slow = new ArrayList<>();
        try {
            for (int i = 0; i < SLOW_SENDERS; i++) {
                Socket socket = new Socket("127.0.0.1", weir.port());
                slow.add(socket);
                String path = i % 2 == 0 ? "/v1/jobs" : "/v1/upstreams/counted";
                String method = i % 2 == 0 ? "POST" : "PATCH";
                socket.getOutputStream()
                        .write((method + " " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                                        + "Content-Length: 500\r\n\r\n{")
                                .getBytes(UTF_8));
            }
            long startedNs = System.nanoTime();
            for (int i = 0; i < 20; i++) {
                for (Socket socket : slow) {
                    socket.getOutputStream().write(' ');
                }
                assertThat(weir.submit("counted", 1)).hasSize(1);
                assertThat(weir.get("/v1/upstreams/counted").path("name").asText())
                        .isEqualTo("counted");
            }
            System.out.printf(
                    "20 submissions and 20 questions beside %d slow senders: %d ms%n",
                    SLOW_SENDERS, (System.nanoTime() - startedNs) / 1_000_000);
        } finally {
            for (Socket socket : slow) {
                socket.close();
            }
        }
    }

    @Test
    @Order(4)
    void shouldAnswerRequestsByChanceProperly() throws Exception {
        new FuzzRun().run(weir);

        // Some of them may have changed it.
        assertThat(weir.send("PATCH", "/v1/upstreams/counted", "{\"limits\":[{\"permits\":1000,\"per\":\"1m\"}]}")
                        .statusCode())
                .isIn(200, 202);
        assertThat(weir.send("POST", "/v1/upstreams/counted/resume", null).statusCode())
                .isIn(200, 202);
        assertThat(weir.submit("counted", 1)).hasSize(1);
    }

    /** Asked to stop, it says so first, serves on for a while, answers what it took, and ends with status 0. */
    @Test
    @Order(5)
    void shouldSayThatItIsNotReady_answerWhatItTook_andExitWithZero_whenItIsAskedToStop() throws Exception {
        int scheduled = weir.get("/v1/upstreams/counted").at("/queue/scheduled").asInt();
        CompletableFuture<HttpResponse<String>> waiting = send(
                weir.url(),
                "waits",
                job("/later", ",\"notBefore\":\"" + Instant.now().plusSeconds(3600) + "\""));
        Socket batch = new Socket("127.0.0.1", weir.port());
        batch.setSoTimeout((int) PATIENCE.toMillis());
        String line = job("/line", "") + "\n";
        batch.getOutputStream()
                .write(("POST /v1/jobs/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                                + "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(line.length()) + "\r\n"
                                + line
                                + "\r\n")
                        .getBytes(UTF_8));
        // Both are known to be under way: the batch's line is answered, the other's job is there.
        byte[] begin = new byte[4096];
        StringBuilder answers = new StringBuilder();
        while (!answers.toString().contains("{\"line\":1,\"id\"")) {
            answers.append(new String(begin, 0, batch.getInputStream().read(begin), UTF_8));
        }
        await().atMost(PATIENCE)
                .until(() ->
                        weir.get("/v1/upstreams/counted").at("/queue/scheduled").asInt() > scheduled);

        weir.signal("TERM");
        boolean notReady = false;
        List<String> takenMeanwhile = new ArrayList<>();
        try {
            while (true) {
                HttpResponse<String> ready = weir.send("GET", "/readyz", null);
                if (ready.statusCode() == 503) {
                    notReady = true;
                    HttpResponse<String> taken = weir.post(job("/meanwhile", ""));
                    if (taken.statusCode() == 202) {
                        takenMeanwhile.add(
                                Json.MAPPER.readTree(taken.body()).path("id").asText());
                    } else {
                        assertThat(taken.statusCode()).as(taken.body()).isEqualTo(503);
                        assertThat(taken.headers().firstValue("Retry-After")).isPresent();
                    }
                }
            }
        } catch (IOException closed) {
            assertThat(notReady)
                    .as("it said that it is not ready before it closed")
                    .isTrue();
        }

        assertThat(takenMeanwhile).as("taken after it had said so").isNotEmpty();
        assertThat(waiting.get().statusCode()).as(waiting.get().body()).isEqualTo(202);
        answers.append(new String(batch.getInputStream().readAllBytes(), UTF_8));
        assertThat(answers.toString()).contains("{\"line\":2,\"problem\":{").contains("\"status\":503");
        batch.close();
        assertThat(weir.stop()).as("exit status").isZero();
        weir.start();
        for (String taken : takenMeanwhile) {
            assertThat(weir.send("GET", "/v1/jobs/" + taken, null).statusCode()).isEqualTo(200);
        }
    }

    private CompletableFuture<HttpResponse<String>> send(String url, String key, String body) {
        return http.sendAsync(
                HttpRequest.newBuilder(URI.create(url + "/v1/jobs"))
                        .header("Idempotency-Key", key)
                        .header("Prefer", "wait=20")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private static String job(String path, String more) {
        return "{\"upstream\":\"counted\",\"request\":{\"path\":\"" + path + "\"}" + more + "}";
    }

    private boolean ready(String url) throws Exception {
        try {
            return http.send(
                                    HttpRequest.newBuilder(URI.create(url + "/readyz"))
                                            .build(),
                                    HttpResponse.BodyHandlers.ofString())
                            .statusCode()
                    == 200;
        } catch (IOException e) {
            return false;
        }
    }

    /** An ingress of its own beside the standalone one, on the same Kafka. */
    private static Process ingress(int port) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.weir.standalone.Main",
                "ingress",
                "--config",
                dir.resolve("weir.yaml").toString(),
                "--port",
                Integer.toString(port));
        builder.environment().put("WEIR_BOOTSTRAP_SERVERS", weir.bootstrapServers());
        builder.environment().put("WEIR_STATUS_URL", weir.url());
        builder.environment().put("WEIR_REPLICATION", "1");
        builder.environment().put("WEIR_LEAVE", "0s");
        return builder.redirectErrorStream(true)
                .redirectOutput(dir.resolve("ingress.log").toFile())
                .start();
    }
}
