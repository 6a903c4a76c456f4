package dev.weir.status;

import static dev.weir.status.TopologyFixture.T0;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lists, events, releases and usage over the real server and the real topology's stores; there is no database. */
final class ListsAndEventsTest {
    private static final UpstreamConfig GEMINI = new UpstreamConfig(
            "gemini",
            URI.create("http://127.0.0.1:9911"),
            UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1))),
            null);

    private final HttpClient client = HttpClient.newHttpClient();
    private final KafkaSettings noKafka =
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
    private final Upstreams upstreams =
            new Upstreams(new WeirConfig(Map.of("gemini", GEMINI), WeirConfig.DEFAULT_MAX_BODY_BYTES), noKafka);
    private final CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(noKafka);
    private final ExecutorService executor = Executors.newFixedThreadPool(2);

    @SuppressWarnings("NullAway.Init")
    private TopologyFixture fixture;

    @SuppressWarnings("NullAway.Init")
    private JobResults results;

    @SuppressWarnings("NullAway.Init")
    private HttpServer server;

    @BeforeEach
    void open(@TempDir Path stateDir) {
        fixture = new TopologyFixture(stateDir);
        org.postgresql.ds.PGSimpleDataSource nowhere = new org.postgresql.ds.PGSimpleDataSource();
        nowhere.setUrl("jdbc:postgresql://127.0.0.1:1/none");
        results = new JobResults(nowhere, fixture.metrics, () -> T0);
        server = new HttpServer(
                "127.0.0.1",
                0,
                1024,
                List.of(fixture.routes(upstreams, forecasts, results, () -> 0, executor, () -> T0.plusSeconds(90))),
                Map.of(),
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    }

    @AfterEach
    void close() {
        server.close();
        results.close();
        executor.shutdownNow();
        fixture.close();
    }

    private static String id(int n) {
        return String.format("0193507a-0000-7000-8000-%012d", n);
    }

    private void accept(int n, String tenant, Instant at) {
        fixture.accepted.pipeInput(
                id(n), Json.bytes(new Accepted(1, id(n), tenant, "gemini", Priority.NORMAL, null, at, "hash", 1)));
    }

    private void tell(int n, JobStatus status, long revision, Instant acceptedAt) {
        fixture.tell(new JobEventBuilder(id(n), status, revision)
                .acceptedAt(acceptedAt)
                .dueAt(T0)
                .cost(2)
                .build());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(Duration.ofSeconds(20));
    }

    private HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private JsonNode ok(String path) throws IOException, InterruptedException {
        HttpResponse<String> response = get(path);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return Json.MAPPER.readTree(response.body());
    }

    private List<String> walk(String query) throws IOException, InterruptedException {
        return walk(query, "");
    }

    private List<String> walk(String query, String start) throws IOException, InterruptedException {
        List<String> ids = new ArrayList<>();
        String cursor = start;
        do {
            JsonNode page = ok("/v1/jobs?" + query + cursor);
            page.get("jobs").forEach(job -> ids.add(job.get("id").asText()));
            cursor = page.get("next").isNull()
                    ? ""
                    : "&cursor=" + page.get("next").asText();
        } while (!cursor.isEmpty());
        return ids;
    }

    @Test
    void shouldShowEachJobOnceNewestFirst_whenNewOnesComeBetweenPages() throws Exception {
        for (int i = 0; i < 25; i++) {
            accept(i, i % 5 == 0 ? "other" : "local", T0.plusSeconds(i / 2));
        }

        JsonNode first = ok("/v1/jobs?limit=10");
        accept(99, "local", T0.plusSeconds(99));
        String next = first.get("next").asText();
        List<String> rest = walk("limit=10", "&cursor=" + next);

        List<String> seen = new ArrayList<>(first.get("jobs").findValuesAsText("id"));
        seen.addAll(rest);
        assertThat(seen).hasSize(25).doesNotHaveDuplicates().doesNotContain(id(99));
        assertThat(first.get("jobs").get(0).get("id").asText()).isEqualTo(id(24));
        assertThat(walk("tenant=other&limit=2")).containsExactly(id(20), id(15), id(10), id(5), id(0));
    }

    @Test
    void shouldFilterByStatusUpstreamAndTime() throws Exception {
        for (int i = 0; i < 6; i++) {
            accept(i, "local", T0.plusSeconds(i));
        }
        tell(2, JobStatus.QUEUED, 1, T0.plusSeconds(2));
        tell(4, JobStatus.DEAD, 3, T0.plusSeconds(4));

        assertThat(walk("status=dead,queued")).containsExactly(id(4), id(2));
        assertThat(walk("status=dead")).containsExactly(id(4));
        assertThat(walk("upstream=nobody")).isEmpty();
        assertThat(walk("from=" + T0.plusSeconds(1) + "&to=" + T0.plusSeconds(4)))
                .containsExactly(id(3), id(2), id(1));
        JsonNode job = ok("/v1/jobs?status=queued").get("jobs").get(0);
        assertThat(job.has("position") && job.has("eta") && !job.has("result")).isTrue();
    }

    @Test
    void shouldSayWhatIsWrong_whenParametersAre() throws Exception {
        for (String query : List.of(
                "status=done",
                "limit=0",
                "limit=x",
                "from=yesterday",
                "cursor=abc",
                "colour=red",
                "status=dead&status=queued",
                "from=%2B999999999-12-31T23:59:59Z",
                "to=-999999999-01-01T00:00:00Z")) {
            HttpResponse<String> response = get("/v1/jobs?" + query);
            assertThat(response.statusCode()).as(query + response.body()).isEqualTo(422);
            assertThat(Json.MAPPER.readTree(response.body()).get("errors"))
                    .as(query)
                    .hasSize(1);
        }
        accept(1, "local", T0);
        accept(2, "local", T0);
        String next = ok("/v1/jobs?limit=1").get("next").asText();
        assertThat(get("/v1/jobs?limit=1&status=dead&cursor=" + next).statusCode())
                .isEqualTo(422);
    }

    /** The events of one stream: id and status of each. */
    private List<String> events(int n, @Nullable String lastEventId, Runnable afterTheFirst) throws Exception {
        HttpRequest.Builder request = request("/v1/jobs/" + id(n) + "/events");
        if (lastEventId != null) {
            request.header("Last-Event-ID", lastEventId);
        }
        AtomicBoolean first = new AtomicBoolean(true);
        return EventStream.read(client, request.build(), event -> {
                    if (first.getAndSet(false)) {
                        afterTheFirst.run();
                    }
                })
                .stream()
                .map(EventStream.Event::toString)
                .toList();
    }

    @Test
    void shouldTellEachStateUntilTheEnd_andEndThen() throws Exception {
        accept(1, "local", T0);

        List<String> events = events(1, null, () -> tell(1, JobStatus.SUCCEEDED, 3, T0));

        assertThat(events).containsExactly("0 accepted", "3 succeeded");
        assertThat(fixture.changes.jobs()).isZero();
    }

    @Test
    void shouldGoOnBehindWhatWasSeen_whenTheClientComesBack() throws Exception {
        tell(1, JobStatus.DEAD, 7, T0);

        assertThat(events(1, "4", () -> {})).containsExactly("7 dead");
        assertThat(get("/v1/jobs/" + id(1) + "/events", "Last-Event-ID", "7").statusCode())
                .isEqualTo(204);
        assertThat(get("/v1/jobs/" + id(2) + "/events").statusCode()).isEqualTo(404);
    }

    @Test
    void shouldSayThatItHasTooMuchToDo_whenNoThreadIsLeftForAList() throws Exception {
        executor.shutdownNow();

        HttpResponse<String> response = get("/v1/jobs");

        assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).isPresent();
    }

    @Test
    void shouldCountReleasesPerStep_asJsonAndCsv() throws Exception {
        accept(1, "local", T0);
        tell(1, JobStatus.DISPATCHED, 2, T0);
        accept(2, "local", T0);
        tell(2, JobStatus.DISPATCHED, 2, T0);

        JsonNode releases =
                ok("/v1/upstreams/gemini/releases?from=" + T0.minusSeconds(60) + "&to=" + T0.plusSeconds(60));
        assertThat(releases.get("releases").toString())
                .isEqualTo("[{\"start\":\"2026-11-22T09:59:00Z\",\"count\":0,\"cost\":0},"
                        + "{\"start\":\"2026-11-22T10:00:00Z\",\"count\":2,\"cost\":4}]");
        HttpResponse<String> csv = get("/v1/upstreams/gemini/releases?step=PT1H", "Accept", "text/csv");
        assertThat(csv.headers().firstValue("Content-Type").orElse("")).startsWith("text/csv");
        assertThat(csv.body()).startsWith("start,count,cost\r\n").contains(",2,4\r\n");
        for (String wrong : List.of(
                "step=PT1S",
                "step=PT0S",
                "step=-PT1M",
                "step=PT1M0.0001S",
                "step=P999999999999D",
                "to=%2B999999999-12-31T23:59:59Z",
                "per=PT1M")) {
            assertThat(get("/v1/upstreams/gemini/releases?" + wrong).statusCode())
                    .as(wrong)
                    .isEqualTo(422);
        }
        assertThat(get("/v1/upstreams/nobody/releases").statusCode()).isEqualTo(404);
    }

    @Test
    void shouldTellUsageByTenantAndUpstream() throws Exception {
        tell(1, JobStatus.QUEUED, 1, T0);
        tell(1, JobStatus.DISPATCHED, 2, T0);
        tell(1, JobStatus.SUCCEEDED, 3, T0);

        for (String per : List.of("PT1M", "PT1H", "P1D")) {
            JsonNode usage = ok("/v1/usage?per=" + per).get("usage");
            assertThat(usage).as(per).hasSize(1);
            assertThat(usage.get(0).path("tenant").asText()).isEqualTo("local");
            assertThat(usage.get(0).path("accepted").asLong()).isEqualTo(1);
            assertThat(usage.get(0).path("cost").asLong()).isEqualTo(2);
            assertThat(usage.get(0).path("succeeded").asLong()).isEqualTo(1);
        }
        assertThat(get("/v1/usage", "Accept", "text/csv").body())
                .isEqualTo("start,tenant,upstream,accepted,released,cost,succeeded,dead,cancelled,expired\r\n"
                        + "2026-11-22T10:00:00Z,local,gemini,1,1,2,1,0,0,0\r\n");
        assertThat(get("/v1/usage?per=PT5M").statusCode()).isEqualTo(422);
        assertThat(get("/v1/usage?from=2020-01-01T00:00:00Z").statusCode()).isEqualTo(422);
    }
}
