package dev.weir.status;

import static dev.weir.status.TopologyFixture.ID;
import static dev.weir.status.TopologyFixture.T0;
import static dev.weir.status.TopologyFixture.event;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.db.Database;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobStatus;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Events and results over the real server, with a real PostgreSQL that can be stopped. */
final class EventStreamTest {
    private static final String OTHER = ID.replace('1', '2');
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** An upstream may well answer so. */
    private static final String LINES = "{\n  \"answer\": 42,\r\n  \"why\": \"a\\nb\"\n}\n";

    private final HttpClient client = HttpClient.newHttpClient();
    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final ExecutorService executor = Executors.newFixedThreadPool(4);

    @SuppressWarnings("NullAway.Init")
    private TopologyFixture fixture;

    @SuppressWarnings("NullAway.Init")
    private ResultsDatabase postgres;

    @SuppressWarnings("NullAway.Init")
    private Database database;

    @SuppressWarnings("NullAway.Init")
    private JobResults results;

    @SuppressWarnings("NullAway.Init")
    private HttpServer server;

    @BeforeEach
    void open(@TempDir Path stateDir) throws IOException {
        fixture = new TopologyFixture(stateDir);
        fixture.refresh = Duration.ofMillis(1);
        fixture.resultPatience = Duration.ofMillis(300);
        postgres = new ResultsDatabase();
        database = new Database(postgres.url(), 2, "test", metrics);
        results = new JobResults(database.dataSource(), metrics, () -> T0);
        KafkaSettings noKafka =
                new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
        CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(noKafka);
        forecasts.wrote("gemini", forecast(), 1);
        server = new HttpServer(
                "127.0.0.1",
                0,
                1024,
                List.of(fixture.routes(
                        new Upstreams(new WeirConfig(Map.of(), WeirConfig.DEFAULT_MAX_BODY_BYTES), noKafka),
                        forecasts,
                        results,
                        () -> 0,
                        executor,
                        InstantSource.system())),
                Map.of(),
                metrics);
    }

    @AfterEach
    void close() throws IOException {
        server.close();
        executor.shutdownNow();
        results.close();
        database.close();
        postgres.close();
        fixture.close();
    }

    /** Every permit was due long ago: an ETA is now, and moves with the clock. */
    private static Forecast forecast() {
        return new Forecast(
                1,
                "gemini",
                T0,
                "running",
                null,
                "closed",
                false,
                0,
                Weights.DEFAULT,
                List.of(),
                new Forecast.Queue(0, 0, 0, 0, 0, null, null),
                0,
                List.of(),
                List.of(new Forecast.BreakPoint(0, T0.minus(Duration.ofDays(3650)), 0)),
                null,
                null);
    }

    private List<EventStream.Event> events(String id, @Nullable String lastEventId, Consumer<EventStream.Event> heard) {
        HttpRequest.Builder request = request("/v1/jobs/" + id + "/events");
        if (lastEventId != null) {
            request.header("Last-Event-ID", lastEventId);
        }
        try {
            return EventStream.read(client, request.build(), heard);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .timeout(PATIENCE);
    }

    private JsonNode job(String id) throws IOException, InterruptedException {
        HttpResponse<String> response =
                client.send(request("/v1/jobs/" + id).build(), HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return Json.MAPPER.readTree(response.body());
    }

    private void succeeded(String id, long revision) {
        fixture.tell(event(id, JobStatus.SUCCEEDED, revision, 1, null, null, true));
    }

    @Test
    void shouldTellWhenTheEtaHasMoved_butNeverOfAStateBeforeTheOneThatWasSeen() throws Exception {
        postgres.answered(ID, 1, 200, "text/plain", "yes");
        postgres.answered(OTHER, 1, 200, "text/plain", "yes");
        fixture.tell(event(ID, JobStatus.QUEUED, 3, 0, null, null, false));
        fixture.tell(event(OTHER, JobStatus.QUEUED, 3, 0, null, null, false));
        CompletableFuture<List<EventStream.Event>> ahead =
                CompletableFuture.supplyAsync(() -> events(OTHER, "5", event -> {}));
        AtomicInteger heard = new AtomicInteger();

        List<EventStream.Event> moving = events(ID, null, event -> {
            if (heard.incrementAndGet() == 3) {
                succeeded(OTHER, 6);
                succeeded(ID, 4);
            }
        });

        List<String> texts = new ArrayList<>();
        moving.forEach(event -> texts.add(event.toString()));
        assertThat(texts).startsWith("3 queued", "3 queued", "3 queued").endsWith("4 succeeded");
        assertThat(moving).extracting(event -> event.job().path("eta").asText()).doesNotHaveDuplicates();
        assertThat(ahead.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .extracting(EventStream.Event::toString)
                .containsExactly("6 succeeded");
    }

    @Test
    void shouldKeepEachLine_whenTheAnswerIsJsonOnSeveral() throws Exception {
        postgres.answered(ID, 1, 200, "application/json", LINES);
        succeeded(ID, 3);

        List<EventStream.Event> events = events(ID, null, event -> {});

        assertThat(events).hasSize(1);
        assertThat(events.get(0).job()).isEqualTo(job(ID));
        assertThat(events.get(0).job().at("/result/body")).isEqualTo(Json.MAPPER.readTree(LINES));
    }

    @Test
    void shouldGiveTheCachedResultAndSayThatAnotherIsPending_whenPostgresqlHasStopped() throws Exception {
        postgres.answered(ID, 1, 200, "application/json", "{\"n\": 1}");
        postgres.answered(OTHER, 1, 200, "application/json", "{\"n\": 2}");
        succeeded(ID, 3);
        succeeded(OTHER, 3);
        JsonNode before = job(ID);
        assertThat(before.at("/result/body/n").asInt()).isEqualTo(1);

        postgres.close();

        assertThat(job(ID)).isEqualTo(before);
        JsonNode other = job(OTHER);
        assertThat(other.path("status").asText()).isEqualTo("succeeded");
        assertThat(other.path("result").isNull()).isTrue();
        assertThat(other.path("resultPending").asBoolean()).isTrue();
        assertThat(events(OTHER, null, event -> {}))
                .extracting(EventStream.Event::job)
                .containsExactly(other);
    }
}
