package dev.weir.ingress;

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
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.UpstreamRecord;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is decided of changes and cancellations without Kafka, over real HTTP, with a Kafka that is not there. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ControlHttpTest {
    private static final String JOB = "0192f0c8-0000-7000-8000-000000000001";
    private static final UpstreamSettings FILE = UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)));
    private static final WeirConfig CONFIG = new WeirConfig(
            Map.of("gemini", new UpstreamConfig("gemini", URI.create("http://127.0.0.1:9"), FILE, null)),
            WeirConfig.DEFAULT_MAX_BODY_BYTES);

    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final HttpClient client = HttpClient.newHttpClient();
    private final KafkaSettings noKafka =
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
    private final Upstreams upstreams = new Upstreams(CONFIG, noKafka);
    private CompletableFuture<@Nullable KnownJob> found = CompletableFuture.completedFuture(null);
    private final Ingress ingress = new Ingress(
            CONFIG,
            noKafka,
            upstreams,
            CompactedTopic.forecasts(noKafka),
            id -> found,
            (id, patience) -> CompletableFuture.completedFuture(null),
            metrics,
            InstantSource.system());
    private final HttpServer server = new HttpServer(
            "127.0.0.1",
            0,
            CONFIG.maxBodyBytes(),
            List.of(ingress::routes),
            Map.of("ingress", ingress::notReady),
            metrics);

    private static final Clients CLIENTS = new Clients(
            List.of(
                    new ClientConfig("local", KeyHash.of("producer"), Tier.FREE, 1, ClientRole.PRODUCER),
                    new ClientConfig("ops", KeyHash.of("operator"), Tier.FREE, 1, ClientRole.OPERATOR)),
            Tier.defaults(),
            false,
            List.of());
    private final HttpServer guarded = new HttpServer(
            "127.0.0.1",
            0,
            CONFIG.maxBodyBytes(),
            List.of(ingress::routes),
            Map.of(),
            metrics,
            new Gate(CLIENTS, metrics));

    @AfterAll
    void stop() {
        server.close();
        guarded.close();
        ingress.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[]                                  | ``                 | expected a section",
                "null                                | ``                 | expected a section",
                "{'limits':null}                     | /limits            | expected a list",
                "{'limits':[{'permits':-1,'per':'1m'}]} | /limits/0/permits | expected 1 to",
                "{'utilization':2}                   | /utilization       | expected more than 0",
                "{'baseUrl':'http://elsewhere'}      | /baseUrl           | unknown key",
                "{'auth':{'header':'x'}}             | /auth              | unknown key",
                "{'timeout':'${env:HOME}'}           | /timeout           | placeholders",
                "{'assumeUnused':1}                  | /assumeUnused      | expected true or false",
                "{'maxInFlight':[]}                  | /maxInFlight       | expected a single value"
            })
    void shouldAnswer422WithThePointer_whenAFieldOfAPatchIsWrong(String patch, String pointer, String detail)
            throws Exception {
        HttpResponse<String> response = patch("gemini", patch.replace('\'', '"'));

        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        JsonNode error = Json.MAPPER.readTree(response.body()).at("/errors/0");
        assertThat(error.path("pointer").asText()).isEqualTo(pointer);
        assertThat(error.path("detail").asText()).contains(detail);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{'burst':1,'burst':2}",
                "{'weights':{'tenants':{'a':1,'a':2}}}",
                "{} {}",
                "{'burst':01}",
                "{'weights':{'tenants':{'\\ud800':1}}}",
                "nonsense"
            })
    void shouldAnswer400_whenAPatchIsNoJson(String patch) throws Exception {
        HttpResponse<String> response = patch("gemini", patch.replace('\'', '"'));

        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        assertThat(response.body()).contains("Malformed JSON");
    }

    @Test
    void shouldRefuse_whenAPatchIsOfAnotherTypeOrTooLargeOrForNobody() throws Exception {
        assertThat(send(request("/v1/upstreams/gemini")
                                .header("Content-Type", "application/json-patch+json")
                                .method("PATCH", BodyPublishers.ofString("{}")))
                        .statusCode())
                .isEqualTo(415);
        assertThat(patch("gemini", "{\"burst\":" + " ".repeat(ControlRoutes.MAX_PATCH_BYTES) + "1}")
                        .statusCode())
                .isEqualTo(413);
        assertThat(patch("nobody", "{}").statusCode()).isEqualTo(404);
        assertThat(patch("nobody", "{}").body()).contains("nobody", "gemini");
        assertThat(post("/v1/upstreams/nobody/pause", "").statusCode()).isEqualTo(404);
        assertThat(post("/v1/upstreams/gemini/pause", "{}").statusCode()).isEqualTo(400);
        assertThat(post("/v1/upstreams/gemini/stop", "").statusCode()).isEqualTo(404);
    }

    @Test
    void shouldAnswer200AndWriteNothing_whenNothingWouldChange() throws Exception {
        HttpResponse<String> response = patch("gemini", "{\"limits\":[{\"permits\":1000,\"per\":\"60s\"}]}");

        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        JsonNode body = Json.MAPPER.readTree(response.body());
        assertThat(body.path("name").asText()).isEqualTo("gemini");
        assertThat(body.path("revision").asLong(-1)).isZero();
        assertThat(body.path("paused").asBoolean(true)).isFalse();
        assertThat(Json.MAPPER.treeToValue(body.path("settings"), UpstreamSettings.class))
                .isEqualTo(FILE);
        assertThat(post("/v1/upstreams/gemini/resume", "").statusCode()).isEqualTo(200);
    }

    @Test
    void shouldAnswer503WithRetryAfter_whenKafkaIsNotThere() throws Exception {
        found = CompletableFuture.completedFuture(job("local", JobStatus.QUEUED));

        for (HttpResponse<String> response : List.of(
                patch("gemini", "{\"burst\":1}"),
                patch("gemini", "{\"assumeUnused\":true}"),
                post("/v1/upstreams/gemini/pause", ""),
                delete(JOB))) {
            assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
            assertThat(response.headers().firstValue("Retry-After")).hasValue("2");
        }
        assertThat(upstreams.of("gemini").settings()).isEqualTo(FILE);
    }

    @Test
    void shouldAnswer404_whenTheJobIsUnknownOrAnothers() throws Exception {
        found = CompletableFuture.completedFuture(null);
        assertThat(delete(JOB).statusCode()).isEqualTo(404);
        for (String garbage : List.of("..%2F..%2Fhealthz", "%0d%0aX:%20y", "%F0%9F%98%80", "x".repeat(5000))) {
            assertThat(delete(garbage).statusCode()).as(garbage).isEqualTo(404);
        }
        assertThat(delete("%00").statusCode()).isEqualTo(400);

        found = CompletableFuture.completedFuture(job("another", JobStatus.CANCELLED));
        assertThat(deleteAs("producer").statusCode()).isEqualTo(404);
        assertThat(deleteAs("operator").statusCode()).isEqualTo(200);
    }

    private HttpResponse<String> deleteAs(String key) throws IOException, InterruptedException {
        return client.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + guarded.port() + "/v1/jobs/" + JOB))
                        .header("X-API-Key", key)
                        .DELETE()
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    @ParameterizedTest
    @EnumSource(
            value = JobStatus.class,
            names = {"SUCCEEDED", "DEAD", "EXPIRED"})
    void shouldAnswer409WithItsStatus_whenTheJobHasEnded(JobStatus status) throws Exception {
        found = CompletableFuture.completedFuture(job("local", status));

        HttpResponse<String> response = delete(JOB.toUpperCase(java.util.Locale.ROOT));

        assertThat(response.statusCode()).isEqualTo(409);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(Json.MAPPER.readTree(response.body()).path("jobStatus").asText())
                .isEqualTo(status.name().toLowerCase(java.util.Locale.ROOT));
    }

    @Test
    void shouldAnswer200Again_whenTheJobIsCancelledAlready() throws Exception {
        found = CompletableFuture.completedFuture(job("local", JobStatus.CANCELLED));

        assertThat(delete(JOB).body())
                .isEqualTo("{\"id\":\"" + JOB + "\",\"status\":\"cancelled\",\"upstream\":\"gemini\"}");
    }

    @Test
    void shouldAnswer503_whenTheStatusServiceDoesNotAnswer() throws Exception {
        found = CompletableFuture.failedFuture(new IOException("away"));

        assertThat(delete(JOB).statusCode()).isEqualTo(503);
    }

    @Test
    void shouldTellTheSettingsInForce_whenTheyWereChangedLive() throws Exception {
        UpstreamSettings live = UpstreamSettings.of(new Limit(5, Duration.ofSeconds(1)));
        upstreams.wrote("gemini", new UpstreamRecord(1, "gemini", 7, Instant.EPOCH, live, true, false, FILE), 1);
        try {
            JsonNode body = Json.MAPPER.readTree(patch("gemini", "{}").body());

            assertThat(body.path("revision").asLong()).isEqualTo(7);
            assertThat(body.path("paused").asBoolean()).isTrue();
            assertThat(body.at("/settings/limits/0/permits").asLong()).isEqualTo(5);
        } finally {
            upstreams.wrote("gemini", null, 2);
        }
    }

    private static KnownJob job(String tenant, JobStatus status) {
        return new KnownJob(JOB, tenant, "hash", "gemini", Instant.EPOCH, status, null);
    }

    private HttpResponse<String> patch(String upstream, String body) throws IOException, InterruptedException {
        return send(request("/v1/upstreams/" + upstream)
                .header("Content-Type", "application/merge-patch+json")
                .method("PATCH", BodyPublishers.ofByteArray(body.getBytes(StandardCharsets.UTF_8))));
    }

    private HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return send(request(path).POST(BodyPublishers.ofString(body)));
    }

    private HttpResponse<String> delete(String job) throws IOException, InterruptedException {
        return send(request("/v1/jobs/" + job).DELETE());
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                .version(HttpClient.Version.HTTP_1_1);
    }

    private HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }
}
