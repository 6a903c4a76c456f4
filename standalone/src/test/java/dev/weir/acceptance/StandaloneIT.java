package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.TestPorts;
import dev.weir.standalone.fake.FakeUpstream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What one running Weir stands: bad input of every kind, upstreams that repeat their secret, a PostgreSQL that goes away (for
 * {@code -Dweir.outage=60} seconds in a longer run).
 */
class StandaloneIT {
    private static final Duration START = Duration.ofSeconds(60);
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int OUTAGE_SECONDS = Integer.getInteger("weir.outage", 10);
    /** 90 % of 1,000 a minute. */
    private static final int A_SECOND = 15;
    /** Calls that a busy machine may be early or late with. */
    private static final int NOISE = Integer.getInteger("weir.noise", 30);

    @TempDir
    static Path dir;

    private static FakeUpstream upstream;
    private static KeyedUpstream keyed;
    private static WeirProcess weir;

    @BeforeAll
    static void start() throws Exception {
        upstream = PaceIT.upstream();
        keyed = new KeyedUpstream(dir);
        weir = new WeirProcess(dir, PaceIT.thousandAMinute(upstream) + keyed.yaml());
        weir.set(KeyedUpstream.VARIABLE, KeyedUpstream.FROM_ENVIRONMENT);
        weir.set("WEIR_LOG_LEVEL", "DEBUG");
        weir.start();
    }

    @AfterAll
    static void stop() {
        weir.close();
        upstream.close();
        keyed.close();
    }

    @Test
    void shouldAnswerEachBadRequestClearly_andGoOnServing() throws Exception {
        expect(400, "{\"upstream\":");
        expect(404, "{\"upstream\":\"nobody\",\"request\":{\"path\":\"/x\"}}");
        assertThat(Json.MAPPER.readTree(expect(422, "{}").body()).path("errors"))
                .hasSize(2);
        expect(422, "{\"upstream\":7,\"request\":{\"path\":[]}}");
        expect(422, "{\"upstream\":\"counted\",\"request\":{\"path\":\"/../admin\"}}");
        expect(422, "{\"upstream\":\"counted\",\"request\":{\"path\":\"http://elsewhere/\"}}");
        expect(422, "{\"upstream\":\"counted\",\"request\":{\"path\":\"/%2e%2e/admin\"}}");
        for (String path : List.of("//elsewhere/x", "//user@elsewhere/x", "/a%2fb", "/a%5Cb", "/a%0d%0ab", "/a\\\\b")) {
            expect(422, "{\"upstream\":\"counted\",\"request\":{\"path\":\"" + path + "\"}}");
        }
        for (String header :
                List.of("Host", "Connection", "Transfer-Encoding", "Upgrade", "X-Job-Id", "X-Key\\r\\nHost")) {
            expect(
                    422,
                    "{\"upstream\":\"counted\",\"request\":{\"path\":\"/x\",\"headers\":{\"" + header + "\":\"x\"}}}");
        }
        expect(422, "{\"upstream\":\"keyed\",\"request\":{\"path\":\"/x\",\"headers\":{\"X-Key\":\"mine\"}}}");
        expect(
                422,
                "{\"upstream\":\"counted\",\"request\":{\"path\":\"/x\",\"headers\":{\"X-A\":\"b\\r\\nHost: c\"}}}");
        expect(
                413,
                "{\"upstream\":\"counted\",\"request\":{\"path\":\"/x\",\"body\":\"" + "x".repeat(5_000_000) + "\"}}");

        String job = weir.submit("counted", 1).get(0);
        await().atMost(Duration.ofSeconds(20))
                .until(() -> weir.get("/v1/jobs/" + job).path("status").asText().equals("succeeded"));
    }

    @Test
    void shouldAnswer200_never404_rightAfterThe202() throws Exception {
        for (int i = 0; i < 200; i++) {
            String job = weir.submit("counted", 1).get(0);
            HttpResponse<String> answer = weir.send(HttpRequest.newBuilder(URI.create(weir.url() + "/v1/jobs/" + job)));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        }
    }

    @Test
    void shouldRefuseASecondStart_aTakenPort_anUnknownKey_andACorruptDirectory() throws Exception {
        assertThat(failure(weir.command(TestPorts.next()))).contains("data").hasLineCount(1);

        Path elsewhere = Files.createDirectory(dir.resolve("elsewhere"));
        Path config = elsewhere.resolve("weir.yaml");
        Files.writeString(config, PaceIT.thousandAMinute(upstream));
        assertThat(failure(standalone(elsewhere.resolve("data"), config, weir.port())))
                .contains(Integer.toString(weir.port()))
                .hasLineCount(1);

        Path typo = elsewhere.resolve("typo.yaml");
        Files.writeString(typo, PaceIT.thousandAMinute(upstream).replace("timeout", "timeuot"));
        assertThat(failure(standalone(elsewhere.resolve("data"), typo, 0)))
                .contains("typo.yaml", "timeuot", "timeout")
                .hasLineCount(1);

        Path corrupt = Files.createDirectories(elsewhere.resolve("corrupt"));
        Files.createDirectories(corrupt.resolve("kafka"));
        Files.writeString(corrupt.resolve("kafka").resolve("meta.properties"), "nonsense");
        assertThat(failure(standalone(corrupt, config, 0))).contains("corrupt").hasLineCount(1);
        assertThat(corrupt.resolve("kafka").resolve("meta.properties")).hasContent("nonsense");
    }

    @Test
    void shouldShowASecretNowhere_whenTheUpstreamRepeatsItAndWhenItChanges() throws Exception {
        String answered = weir.submit("keyed", 1).get(0);
        String refused = weir.submit("keyed-by-environment", 1).get(0);
        await().atMost(PATIENCE).until(() -> resultOf(answered).contains("you came with ***"));
        await().atMost(PATIENCE).until(() -> resultOf(refused).contains("no such key: ***"));
        assertThat(keyed.seen()).containsExactlyInAnyOrder(KeyedUpstream.FIRST, KeyedUpstream.FROM_ENVIRONMENT);
        keyed.change();
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(500)).until(() -> {
            weir.submit("keyed", 1);
            return keyed.seen().contains(KeyedUpstream.SECOND);
        });
        await().atMost(PATIENCE).until(() -> weir.log().contains("the secret of upstream keyed has changed"));

        List<String> secrets = List.of(KeyedUpstream.FIRST, KeyedUpstream.SECOND, KeyedUpstream.FROM_ENVIRONMENT);
        Search search = new Search(
                weir,
                dir,
                Stream.concat(secrets.stream(), Stream.of(KeyedUpstream.MARK)).toList());
        for (String page : List.of(
                "/metrics",
                "/openapi.json",
                "/readyz",
                "/v1/upstreams",
                "/v1/upstreams/keyed",
                "/v1/upstreams/keyed/forecast",
                "/v1/jobs/" + answered,
                "/v1/jobs/" + refused)) {
            search.page(page);
        }
        search.log();
        search.topics();
        search.database();
        search.files();

        assertThat(search.placesOf(KeyedUpstream.MARK))
                .as("the search finds what is there")
                .contains("topic weir.outcomes", "table results", "GET /v1/jobs/" + answered);
        for (String secret : secrets) {
            assertThat(search.placesOf(secret)).isEmpty();
        }
    }

    private static String resultOf(String job) throws Exception {
        return weir.get("/v1/jobs/" + job).path("result").toString();
    }

    @Test
    void shouldCallAtFullPace_andHaveEveryResultAfterwards_whenPostgresIsStopped() throws Exception {
        PostgresControl postgres = new PostgresControl(dir.resolve("data").resolve("postgres"));
        long before = upstream.log().calls();
        List<String> jobs = weir.submit("counted", A_SECOND * (OUTAGE_SECONDS + 6));
        await().atMost(PATIENCE).until(() -> upstream.log().calls() > before + 2 * A_SECOND);

        postgres.stopImmediately();
        long stopped = System.nanoTime();
        long calls = upstream.log().calls();
        // As many as are submitted at once may have come in in another order.
        String calledMeanwhile = jobs.get((int) (calls - before) + 70);
        await().pollDelay(Duration.ofSeconds(OUTAGE_SECONDS))
                .atMost(Duration.ofSeconds(OUTAGE_SECONDS + 5L))
                .until(() -> true);
        long called = upstream.log().calls() - calls;
        double expected = A_SECOND * (System.nanoTime() - stopped) / 1e9;
        double backlog = backlog();
        String early = weir.get("/v1/jobs/" + calledMeanwhile).toString();
        postgres.start();
        long started = System.nanoTime();

        await().atMost(PATIENCE.plusSeconds(OUTAGE_SECONDS)).until(() -> postgres.succeeded(jobs) == jobs.size());
        System.out.printf(
                "PostgreSQL stopped for %d s: %d calls (%.0f at full pace), %.0f results waited, all %d there %.1f s after"
                        + " its start%n",
                OUTAGE_SECONDS, called, expected, backlog, jobs.size(), (System.nanoTime() - started) / 1e9);
        assertThat((double) called).isBetween(expected - NOISE, expected + NOISE);
        assertThat(backlog).isGreaterThan(called * 0.8);
        assertThat(early).contains("\"succeeded\"", "\"resultPending\":true");
        assertThat(weir.get("/v1/jobs/" + calledMeanwhile).at("/result/status").asInt())
                .isEqualTo(200);
        await().atMost(PATIENCE).until(() -> backlog() == 0);
    }

    private static double backlog() throws Exception {
        String metrics = weir.send("GET", "/metrics", null).body();
        return metrics.lines()
                .filter(line -> line.startsWith("weir_results_backlog "))
                .mapToDouble(line -> Double.parseDouble(line.split(" ")[1]))
                .findFirst()
                .orElseThrow();
    }

    private static HttpResponse<String> expect(int status, String body) throws Exception {
        HttpResponse<String> answer = weir.post(body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(Json.MAPPER.readTree(answer.body()).path("detail").asText()).isNotBlank();
        return answer;
    }

    private static ProcessBuilder standalone(Path data, Path config, int port) {
        ProcessBuilder command = weir.command(port);
        for (int i = 0; i < command.command().size() - 1; i++) {
            switch (command.command().get(i)) {
                case "--data-dir" -> command.command().set(i + 1, data.toString());
                case "--config" -> command.command().set(i + 1, config.toString());
                case "--kafka-port" -> command.command().set(i + 1, "0");
                default -> {}
            }
        }
        return command;
    }

    /** What it says on standard error when it does not start: exit status 1 or 2. */
    private static String failure(ProcessBuilder command) throws IOException, InterruptedException {
        Path errors = Files.createTempFile("weir", ".err");
        Process process = command.redirectError(errors.toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(process.waitFor(START.toSeconds(), TimeUnit.SECONDS))
                    .as("it ends")
                    .isTrue();
            assertThat(process.exitValue()).isIn(1, 2);
            return Files.readString(errors).strip();
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(errors);
        }
    }
}
