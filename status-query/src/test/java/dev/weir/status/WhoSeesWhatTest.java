package dev.weir.status;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.access.Gate;
import dev.weir.contracts.config.ClientConfig;
import dev.weir.contracts.config.ClientRole;
import dev.weir.contracts.config.Clients;
import dev.weir.contracts.config.KeyHash;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.Tier;
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
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What each caller is told of others' jobs, where clients are configured. */
final class WhoSeesWhatTest {
    private static final String ID = "0192f0c8-0000-7000-8000-000000000001";
    private static final Instant T0 = Instant.parse("2026-11-22T10:00:00Z");
    private static final Clients CLIENTS = new Clients(
            List.of(
                    client("acme", "acme", ClientRole.PRODUCER),
                    client("other", "other", ClientRole.PRODUCER),
                    client("ops", "operator", ClientRole.OPERATOR),
                    client("bi", "analyst", ClientRole.ANALYST)),
            Tier.defaults(),
            false,
            List.of());
    private static final UpstreamConfig GEMINI = new UpstreamConfig(
            "gemini",
            URI.create("http://127.0.0.1:9911"),
            UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)))
                    .with(new Weights(Map.of("acme", 3, "other", 5), Weights.DEFAULT.priorities())),
            null);

    private final HttpClient client = HttpClient.newHttpClient();
    private final KafkaSettings noKafka =
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
    private final Upstreams upstreams =
            new Upstreams(new WeirConfig(Map.of("gemini", GEMINI), WeirConfig.DEFAULT_MAX_BODY_BYTES), noKafka);
    private final CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(noKafka);
    private final ExecutorService lookups = Executors.newFixedThreadPool(1);
    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    @SuppressWarnings("NullAway.Init")
    private ResultsDatabase database;

    @SuppressWarnings("NullAway.Init")
    private TopologyFixture fixture;

    @SuppressWarnings("NullAway.Init")
    private JobResults results;

    @SuppressWarnings("NullAway.Init")
    private HttpServer server;

    @BeforeEach
    void open(@TempDir Path stateDir) throws IOException {
        database = new ResultsDatabase();
        fixture = new TopologyFixture(stateDir);
        results = new JobResults(database.dataSource(), fixture.metrics, () -> T0);
        server = new HttpServer(
                "127.0.0.1",
                0,
                1024,
                List.of(fixture.routes(upstreams, forecasts, results, () -> 0, lookups, () -> T0)),
                Map.of(),
                metrics,
                new Gate(CLIENTS, metrics));
    }

    @AfterEach
    void close() throws IOException {
        server.close();
        results.close();
        lookups.shutdownNow();
        fixture.close();
        database.close();
    }

    @Test
    void shouldTellOfAJob_toItsTenantAndToThoseWhoSeeAll() throws Exception {
        fixture.accepted.pipeInput(
                ID,
                Json.bytes(new dev.weir.contracts.wire.Accepted(
                        1, ID, "acme", "gemini", Priority.LOW, null, T0, "hash", 1)));

        for (String key : List.of("acme", "operator", "analyst")) {
            assertThat(get("/v1/jobs/" + ID, key).statusCode()).as(key).isEqualTo(200);
        }
        HttpResponse<String> others = get("/v1/jobs/" + ID, "other");
        assertThat(others.statusCode()).isEqualTo(404);
        assertThat(others.body())
                .as("as one that never was")
                .isEqualTo(
                        get("/v1/jobs/" + ID.replace("1", "2"), "other").body().replace(ID.replace("1", "2"), ID));
    }

    @Test
    void shouldNameNoOtherTenant_whenAProducerAsksForAnUpstream() throws Exception {
        String weights = "/settings/weights/tenants";

        assertThat(json("/v1/upstreams/gemini", "acme").at(weights)).hasToString("{\"acme\":3}");
        assertThat(json("/v1/upstreams", "other").at("/upstreams/0" + weights)).hasToString("{\"other\":5}");
        assertThat(json("/v1/upstreams/gemini", "analyst").at(weights)).hasToString("{\"acme\":3,\"other\":5}");
    }

    private static ClientConfig client(String tenant, String key, ClientRole role) {
        return new ClientConfig(tenant, KeyHash.of(key), Tier.FREE, 1, role);
    }

    private JsonNode json(String path, String key) throws Exception {
        return Json.MAPPER.readTree(get(path, key).body());
    }

    private HttpResponse<String> get(String path, String key) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                        .header("Authorization", "Bearer " + key)
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
