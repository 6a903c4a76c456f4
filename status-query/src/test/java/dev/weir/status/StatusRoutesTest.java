package dev.weir.status;

import static dev.weir.status.TopologyFixture.ID;
import static dev.weir.status.TopologyFixture.T0;
import static dev.weir.status.TopologyFixture.event;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import dev.weir.contracts.wire.UpstreamRecord;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The HTTP shapes, over the real server, the real topology's store and a real database. */
final class StatusRoutesTest {
    private static final UpstreamConfig GEMINI = new UpstreamConfig(
            "gemini",
            URI.create("http://127.0.0.1:9911"),
            UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)), new Limit(50_000, Duration.ofHours(1))),
            null);

    @SuppressWarnings("NullAway.Init")
    private static ResultsDatabase database;

    private final HttpClient client = HttpClient.newHttpClient();
    private final KafkaSettings noKafka =
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
    private final Upstreams upstreams =
            new Upstreams(new WeirConfig(Map.of("gemini", GEMINI), WeirConfig.DEFAULT_MAX_BODY_BYTES), noKafka);
    private final CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(noKafka);
    private final AtomicLong end = new AtomicLong();
    private final ExecutorService lookups = Executors.newFixedThreadPool(1);

    @SuppressWarnings("NullAway.Init")
    private TopologyFixture fixture;

    @SuppressWarnings("NullAway.Init")
    private JobResults results;

    @SuppressWarnings("NullAway.Init")
    private HttpServer server;

    @BeforeAll
    static void openDatabase() throws IOException {
        database = new ResultsDatabase();
    }

    @AfterAll
    static void closeDatabase() throws IOException {
        database.close();
    }

    @BeforeEach
    void open(@TempDir Path stateDir) {
        fixture = new TopologyFixture(stateDir);
        results = new JobResults(database.dataSource(), fixture.metrics, () -> T0);
        server = new HttpServer(
                "127.0.0.1",
                0,
                1024,
                List.of(fixture.routes(upstreams, forecasts, results, end::get, lookups, () -> T0)),
                Map.of(),
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    }

    @AfterEach
    void close() {
        server.close();
        results.close();
        lookups.shutdownNow();
        fixture.close();
    }

    private HttpRequest request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(Duration.ofSeconds(20))
                .build();
    }

    private HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return client.send(request(path), HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode ok(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return Json.MAPPER.readTree(response.body());
    }

    private void problem(String path, int status) throws IOException, InterruptedException {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        assertThat(response.headers().firstValue("content-type")).contains("application/problem+json");
        assertThat(Json.MAPPER.readTree(response.body()).path("status").intValue())
                .isEqualTo(status);
    }

    private static Forecast forecast(List<Forecast.Lane> lanes) {
        return forecast("running", 0, false, lanes);
    }

    private static Forecast named(String name, Forecast f, Forecast.Queue queue) {
        return new Forecast(
                f.v(),
                name,
                f.at(),
                f.state(),
                f.heldBy(),
                f.circuit(),
                f.removed(),
                f.revision(),
                f.weights(),
                f.windows(),
                queue,
                f.virtualTime(),
                f.lanes(),
                f.breakPoints(),
                f.cycle(),
                f.basis());
    }

    private static Forecast forecast(String state, long revision, boolean removed, List<Forecast.Lane> lanes) {
        return new Forecast(
                1,
                "gemini",
                T0,
                state,
                lanes.isEmpty() ? null : "PT1M",
                "closed",
                removed,
                revision,
                Weights.DEFAULT,
                List.of(new Forecast.Window(Duration.ofMinutes(1), 1000, 900, 412, T0.minusSeconds(1))),
                new Forecast.Queue(5, 5, 0, 1, 2, T0, T0.plusSeconds(60)),
                0,
                lanes,
                List.of(new Forecast.BreakPoint(
                        0, T0.plusSeconds(1), Duration.ofSeconds(1).toNanos())),
                null,
                null);
    }

    @Test
    void shouldHaveEveryKey_whenTheJobIsJustAccepted() throws Exception {
        fixture.accept(ID);

        JsonNode job = ok("/v1/jobs/" + ID);

        assertThat(job.toString())
                .isEqualTo("{\"id\":\"" + ID + "\",\"tenant\":\"local\",\"upstream\":\"gemini\","
                        + "\"status\":\"accepted\",\"attempts\":0,\"acceptedAt\":\"2026-11-22T10:00:00Z\","
                        + "\"updatedAt\":\"2026-11-22T10:00:00Z\",\"position\":null,\"eta\":null,"
                        + "\"finishedAt\":null,\"error\":null,\"result\":null}");
    }

    @Test
    void shouldTellPlaceAndEta_whenTheJobWaits() throws Exception {
        fixture.tell(event(ID, JobStatus.QUEUED, 1, 0, 12L, null, false));
        forecasts.wrote("gemini", forecast(List.of(Forecast.Lane.of("local", Priority.NORMAL, 10, 20, 2, 1))), 1);

        JsonNode job = ok("/v1/jobs/" + ID);

        assertThat(job.get("position").longValue()).isEqualTo(3);
        assertThat(job.get("eta").textValue()).isEqualTo("2026-11-22T10:00:03Z");
    }

    @Test
    void shouldTellPlaceFromTheEvents_whenTheForecastDoesNotKnowTheLaneYet() throws Exception {
        fixture.tell(event(ID.replace('1', '2'), JobStatus.QUEUED, 1, 0, 500L, null, false));
        fixture.tell(event(ID, JobStatus.QUEUED, 1, 0, 501L, null, false));
        forecasts.wrote("gemini", forecast(List.of()), 1);

        assertThat(ok("/v1/jobs/" + ID).get("position").longValue()).isEqualTo(2);
    }

    @Test
    void shouldTellTheDueTime_whenItIsLaterThanTheForecast() throws Exception {
        fixture.tell(event(ID, JobStatus.RETRYING, 3, 1, null, T0.plusSeconds(300), false));
        forecasts.wrote("gemini", forecast(List.of()), 1);

        JsonNode job = ok("/v1/jobs/" + ID);

        assertThat(job.get("eta").textValue()).isEqualTo("2026-11-22T10:05:00Z");
        assertThat(job.get("position").isNull()).isTrue();
    }

    @Test
    void shouldTellTheSlotUntilItHasCome_whenDispatched() throws Exception {
        fixture.tell(event(ID, JobStatus.DISPATCHED, 2, 1, null, T0.plusMillis(200), false));
        assertThat(ok("/v1/jobs/" + ID).get("eta").textValue()).isEqualTo("2026-11-22T10:00:00.200Z");

        fixture.tell(event(ID, JobStatus.DISPATCHED, 3, 1, null, T0, false));

        assertThat(ok("/v1/jobs/" + ID).get("eta").isNull()).isTrue();
    }

    @Test
    void shouldSayPendingAndThenGiveTheResult_whenTheJobHasSucceeded() throws Exception {
        fixture.tell(event(ID, JobStatus.SUCCEEDED, 4, 1, null, null, true));
        JsonNode before = ok("/v1/jobs/" + ID);
        assertThat(before.get("resultPending").booleanValue()).isTrue();
        assertThat(before.get("result").isNull()).isTrue();
        assertThat(before.get("finishedAt").textValue()).isEqualTo("2026-11-22T10:00:04Z");

        database.answered(ID, 1, 200, "application/json", "{\"ok\":true}");

        JsonNode after = ok("/v1/jobs/" + ID);
        assertThat(after.has("resultPending")).isFalse();
        assertThat(after.get("result").toString())
                .isEqualTo(
                        "{\"status\":200,\"headers\":{\"content-type\":\"application/json\"},\"body\":{\"ok\":true}}");
    }

    @Test
    void shouldBe404_whenTheStoreHasPassedTheEnd() throws Exception {
        problem("/v1/jobs/" + ID, 404);
        problem("/v1/jobs/no-such-id", 404);
        problem("/internal/known-jobs/" + ID, 404);
    }

    @Test
    void shouldWaitForTheStoreAndAnswer200_whenTheJobIsAcceptedButNotReadYet() throws Exception {
        end.set(1);
        CompletableFuture<HttpResponse<String>> asked =
                client.sendAsync(request("/v1/jobs/" + ID), HttpResponse.BodyHandlers.ofString());
        Awaitility.await().until(() -> fixture.progress.waiting(0) == 1);
        assertThat(asked).isNotDone();

        fixture.accept(ID);

        assertThat(asked.get().statusCode()).isEqualTo(200);
    }

    @Test
    void shouldBe503AndLeaveNobodyInLine_whenTheStoreStaysBehind() throws Exception {
        end.set(1);

        HttpResponse<String> response = get("/v1/jobs/" + ID);

        assertThat(response.statusCode()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).contains("1");
        // The answer may be read before its sender has left the line.
        Awaitility.await().until(() -> fixture.progress.waiting(0) == 0);
    }

    @Test
    void shouldTellTheIngressWhatItNeeds_whenTheJobIsKnown() throws Exception {
        fixture.tell(event(JobStatus.DEAD, 3));

        assertThat(ok("/internal/known-jobs/" + ID).toString())
                .isEqualTo("{\"id\":\"" + ID + "\",\"tenant\":\"local\",\"bodyHash\":\"hash-" + ID
                        + "\",\"upstream\":\"gemini\",\"acceptedAt\":\"2026-11-22T10:00:00Z\",\"status\":\"dead\"}");
    }

    @Test
    void shouldShowAnUnusedUpstream_whenThereIsNoForecast() throws Exception {
        assertThat(ok("/v1/upstreams/gemini").toString())
                .isEqualTo("{\"name\":\"gemini\",\"state\":\"running\",\"heldBy\":null,\"windows\":["
                        + "{\"per\":\"PT1M\",\"limit\":1000,\"budget\":900,\"used\":0,\"remaining\":900,\"fullUntil\":null},"
                        + "{\"per\":\"PT1H\",\"limit\":50000,\"budget\":45000,\"used\":0,\"remaining\":45000,\"fullUntil\":null}],"
                        + "\"queue\":{\"waiting\":0,\"scheduled\":0,\"retrying\":0,\"inFlight\":0,\"oldestAcceptedAt\":null,"
                        + "\"drainedAt\":null},\"circuit\":\"closed\",\"removed\":false,\"revision\":0,\"settings\":{\"limits\":["
                        + "{\"permits\":1000,\"per\":\"PT1M\"},{\"permits\":50000,\"per\":\"PT1H\"}],\"utilization\":0.9,"
                        + "\"burst\":15,\"maxInFlight\":300,\"permitTtl\":\"PT3S\",\"timeout\":\"PT30S\","
                        + "\"retry\":{\"delays\":[\"PT5M\",\"PT15M\"]},"
                        + "\"circuitBreaker\":{\"failures\":5,\"open\":\"PT30S\",\"probes\":3},"
                        + "\"weights\":{\"tenants\":{},\"priorities\":{\"high\":4,\"normal\":2,\"low\":1}}}}");
    }

    @Test
    void shouldShowWhatIsInForce_whenItWasChangedLive() throws Exception {
        UpstreamSettings live = UpstreamSettings.of(new Limit(5, Duration.ofSeconds(1)));
        upstreams.wrote("gemini", new UpstreamRecord(1, "gemini", 7, T0, live, true, false, GEMINI.settings()), 1);

        JsonNode untold = ok("/v1/upstreams/gemini");
        forecasts.wrote("gemini", forecast("paused", 7, false, List.of()), 1);
        JsonNode told = ok("/v1/upstreams/gemini");

        assertThat(untold.get("state").textValue()).isEqualTo("paused");
        assertThat(untold.at("/windows/0/limit").longValue()).isEqualTo(5);
        assertThat(told.get("state").textValue()).isEqualTo("paused");
        assertThat(told.get("revision").longValue()).isEqualTo(7);
        assertThat(told.at("/settings/limits/0/permits").longValue()).isEqualTo(5);
    }

    @Test
    void shouldGiveNoEta_whileTheUpstreamIsPaused() throws Exception {
        fixture.tell(event(ID, JobStatus.QUEUED, 1, 0, 12L, null, false));
        List<Forecast.Lane> lanes = List.of(Forecast.Lane.of("local", Priority.NORMAL, 10, 20, 2, 1));
        forecasts.wrote("gemini", forecast("paused", 2, false, lanes), 1);

        JsonNode job = ok("/v1/jobs/" + ID);

        assertThat(job.get("position").longValue()).isEqualTo(3);
        assertThat(job.get("eta").isNull()).isTrue();
    }

    @Test
    void shouldShowAnUpstreamThatIsConfiguredNoMore_whileItHasJobs() throws Exception {
        Forecast gone = forecast("paused", 3, true, List.of());
        forecasts.wrote("gone", named("gone", gone, new Forecast.Queue(0, 0, 0, 1, 0, T0, null)), 1);
        forecasts.wrote("empty", named("empty", gone, new Forecast.Queue(0, 0, 0, 0, 0, null, null)), 2);

        assertThat(ok("/v1/upstreams").get("upstreams").findValuesAsText("name"))
                .containsExactly("gemini", "gone");
        JsonNode upstream = ok("/v1/upstreams/gone");
        assertThat(upstream.get("removed").booleanValue()).isTrue();
        assertThat(upstream.get("state").textValue()).isEqualTo("paused");
        assertThat(upstream.get("settings").isNull()).isTrue();
        problem("/v1/upstreams/empty", 404);
    }

    @Test
    void shouldShowTheForecast_whenThereIsOne() throws Exception {
        forecasts.wrote("gemini", forecast(List.of()), 1);

        JsonNode upstream = ok("/v1/upstreams").get("upstreams").get(0);

        assertThat(upstream.get("windows").get(0).toString())
                .isEqualTo(
                        "{\"per\":\"PT1M\",\"limit\":1000,\"budget\":900,\"used\":412,\"remaining\":488,\"fullUntil\":null}");
        assertThat(upstream.get("queue").get("inFlight").longValue()).isEqualTo(2);
        assertThat(upstream.get("queue").get("drainedAt").textValue()).isEqualTo("2026-11-22T10:01:00Z");
        problem("/v1/upstreams/nobody", 404);
    }

    @Test
    void shouldGiveTheForecastItself_orSayWhyNot() throws Exception {
        HttpResponse<String> notYet = get("/v1/upstreams/gemini/forecast");
        assertThat(notYet.statusCode()).as(notYet.body()).isEqualTo(503);
        assertThat(notYet.headers().firstValue("Retry-After")).contains("1");

        Forecast told = forecast(List.of(Forecast.Lane.of("local", Priority.NORMAL, 10, 20, 2, 1)));
        forecasts.wrote("gemini", told, 1);

        assertThat(Json.read(Json.bytes(ok("/v1/upstreams/gemini/forecast")), Forecast.class))
                .isEqualTo(told);
        problem("/v1/upstreams/nobody/forecast", 404);
    }
}
