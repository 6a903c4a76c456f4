package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.AuthSettings;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.Secret;
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
import io.micrometer.core.instrument.Counter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
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
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the ingress refuses, over real HTTP, with a Kafka that is not there. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class IngressHttpTest {
    private static final String SOUND = "{'upstream':'gemini','request':{'path':'/x'}}";
    private static final int MAX_BODY_BYTES = 4 * 1024 * 1024;

    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final HttpClient client = HttpClient.newHttpClient();
    private final KafkaSettings noKafka =
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
    private final Upstreams upstreams = new Upstreams(config(), noKafka);
    private final CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(noKafka);
    private final Ingress ingress = new Ingress(
            config(),
            noKafka,
            upstreams,
            forecasts,
            id -> CompletableFuture.completedFuture(null),
            (id, patience) -> CompletableFuture.completedFuture(null),
            metrics,
            InstantSource.system());
    private final HttpServer server = start();

    private HttpServer start() {
        return new HttpServer(
                "127.0.0.1",
                0,
                MAX_BODY_BYTES,
                List.of(ingress::routes),
                Map.of("ingress", ingress::notReady),
                metrics);
    }

    private static WeirConfig config() {
        UpstreamConfig gemini = new UpstreamConfig(
                "gemini",
                URI.create("http://127.0.0.1:9"),
                UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)), new Limit(50_000, Duration.ofHours(1))),
                new AuthSettings("x-goog-api-key", new Secret("hidden")));
        return new WeirConfig(Map.of("gemini", gemini), MAX_BODY_BYTES);
    }

    @AfterAll
    void stop() {
        server.close();
        ingress.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "[]                                                    |                     | expected an object, but it is a list",
                "{}                                                    | /upstream           | missing",
                "{}                                                    | /request            | missing",
                "{'upstream':'gemini','request':{}}                    | /request/path       | missing",
                "{'upstream':7,'request':{'path':'/x'}}                | /upstream           | expected a string, but it is a number",
                "{'upstream':'gemini','request':[]}                    | /request            | expected an object, but it is a list",
                "{'upstream':'gemini','request':{'path':7}}            | /request/path       | expected a string",
                "{'upstream':'gemini','request':{'path':'/../x'}}      | /request/path       | no . or .. segments",
                "{'upstream':'gemini','request':{'path':'//h/x'}}      | /request/path       | names another host",
                "{'upstream':'gemini','request':{'path':'http://h/x'}} | /request/path       | starts with /",
                "{'upstream':'gemini','request':{'path':'/x','method':'get'}}  | /request/method | expected one of GET",
                "{'upstream':'gemini','request':{'path':'/x','headers':[]}}    | /request/headers | expected an object",
                "{'upstream':'gemini','request':{'path':'/x','headers':{'A':1}}} | /request/headers/A | expected a string",
                "{'upstream':'gemini','request':{'path':'/x','headers':{'Host':'h'}}} | /request/headers/Host | belongs to the connection",
                "{'upstream':'gemini','request':{'path':'/x','headers':{'X-Goog-Api-Key':'h'}}} | /request/headers/X-Goog-Api-Key | configuration",
                "{'upstream':'gemini','request':{'path':'/x','headers':{'A':'b\\r\\nC: d'}}} | /request/headers/A | U+000D",
                "{'upstream':'gemini','request':{'path':'/x','more':1}} | /request/more      | unknown field",
                "{'upstream':'gemini','request':{'path':'/x','body':1,'bodyBase64':''}} | /request/bodyBase64 | not both",
                "{'upstream':'gemini','request':{'path':'/x','bodyBase64':'!'}} | /request/bodyBase64 | expected base64",
                "{'upstream':'gemini','request':{'path':'/x','bodyBase64':1}} | /request/bodyBase64 | expected a string",
                "{'upstream':'gemini','request':{'path':'/x','body':{},'headers':{'content-type':'text/plain'}}} | /request/body | expected a string",
                "{'upstream':'gemini','request':{'path':'/x','body':'\\ud800','headers':{'content-type':'text/plain'}}} | /request/body | surrogate",
                "{'upstream':'gemini','request':{'path':'/x','body':'x','headers':{'content-type':'text/plain; charset=latin1'}}} | /request/body | charset latin1",
                "{'upstream':'gemini','request':{'path':'/x'},'Cost':1} | /Cost              | unknown field",
                "{'upstream':'gemini','request':{'path':'/x'},'cost':0} | /cost              | whole number",
                "{'upstream':'gemini','request':{'path':'/x'},'cost':-3} | /cost             | whole number",
                "{'upstream':'gemini','request':{'path':'/x'},'cost':1.5} | /cost            | whole number",
                "{'upstream':'gemini','request':{'path':'/x'},'cost':'1'} | /cost            | whole number",
                "{'upstream':'gemini','request':{'path':'/x'},'cost':901} | /cost            | expected at most 900",
                "{'upstream':'gemini','request':{'path':'/x'},'cost':99999999999999999999} | /cost | expected at most 900",
                "{'upstream':'gemini','request':{'path':'/x'},'priority':'urgent'} | /priority | high, normal or low",
                "{'upstream':'gemini','request':{'path':'/x'},'priority':1} | /priority      | expected a string",
                "{'upstream':'gemini','request':{'path':'/x'},'onLate':'never'} | /onLate    | reject or accept",
                "{'upstream':'gemini','request':{'path':'/x'},'notBefore':'tomorrow'} | /notBefore | RFC 3339",
                "{'upstream':'gemini','request':{'path':'/x'},'notBefore':'2026-11-22T10:00Z'} | /notBefore | RFC 3339",
                "{'upstream':'gemini','request':{'path':'/x'},'notBefore':'2026-13-22T10:00:00Z'} | /notBefore | RFC 3339",
                "{'upstream':'gemini','request':{'path':'/x'},'notBefore':'2999-01-01T10:00:00Z'} | /notBefore | to 2200-01-01",
                "{'upstream':'gemini','request':{'path':'/x'},'deadline':1} | /deadline      | expected a string",
                "{'upstream':'gemini','request':{'path':'/x'},'deadline':'2001-01-01T00:00:00Z'} | /deadline | in the future",
                "{'upstream':'gemini','request':{'path':'/x'},'notBefore':'2100-01-01T00:00:00Z','deadline':'2099-01-01T00:00:00Z'} | /deadline | after notBefore"
            })
    void shouldAnswer422WithThePointer_whenAFieldIsWrong(String body, String pointer, String detail) throws Exception {
        HttpResponse<String> response = post(body);

        assertThat(response.statusCode()).as(response.body()).isEqualTo(422);
        assertThat(response.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(Json.MAPPER.readTree(response.body()).get("errors")).anySatisfy(error -> {
            assertThat(error.get("pointer").asText()).isEqualTo(pointer == null ? "" : pointer);
            assertThat(error.get("detail").asText()).contains(detail);
        });
    }

    @Test
    void shouldReportEveryProblemAtOnce() throws Exception {
        HttpResponse<String> response =
                post("{'upstream':'nobody','request':{'path':'x','method':'GO','headers':{'Host':'h'}},"
                        + "'priority':7,'cost':0,'deadline':'2001-01-01T00:00:00Z','extra':1}");

        JsonNode problem = Json.MAPPER.readTree(response.body());
        assertThat(response.statusCode()).isEqualTo(422);
        assertThat(problem.get("errors").findValuesAsText("pointer"))
                .containsExactlyInAnyOrder(
                        "/upstream",
                        "/request/path",
                        "/request/method",
                        "/request/headers/Host",
                        "/priority",
                        "/cost",
                        "/deadline",
                        "/extra");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{'upstream':}",
                "{'upstream':'a','upstream':'b'}",
                "{'upstream':'gemini','request':{'path':'/x','body':{'a':1,'a':2}}}",
                "{} {}",
                "{'a':01}",
                "nonsense"
            })
    void shouldAnswer400_whenTheBodyIsNoJson(String body) throws Exception {
        HttpResponse<String> response = post(body);

        assertThat(response.statusCode()).as(response.body()).isEqualTo(400);
        assertThat(response.body()).contains("Malformed JSON");
    }

    @Test
    void shouldAnswer400_whenTheBodyIsNotUtf8OrNestedTooDeeply() throws Exception {
        byte[] latin1 = "{\"upstream\":\"caf\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1);
        String deep = "{'request':{'body':" + "[".repeat(5000) + "]".repeat(5000) + "}}";

        assertThat(post(BodyPublishers.ofByteArray(latin1)).statusCode()).isEqualTo(400);
        assertThat(post(deep).statusCode()).isEqualTo(400);
    }

    @Test
    void shouldAnswer404_whenTheUpstreamIsUnknown() throws Exception {
        HttpResponse<String> response = post("{'upstream':'nobody','request':{'path':'/x'}}");

        assertThat(response.statusCode()).isEqualTo(404);
        assertThat(response.body()).contains("nobody").contains("gemini");
        assertThat(post("{'upstream':'\\ud800','request':{'path':'/x'}}").statusCode())
                .as("half of a surrogate pair, which the answer cannot quote")
                .isEqualTo(404);
    }

    @Test
    void shouldAnswer413_whenTheBodyIsOverTheLimit() throws Exception {
        byte[] large = new byte[MAX_BODY_BYTES + 1024 * 1024];

        HttpResponse<String> announced = post(BodyPublishers.ofByteArray(large));
        HttpResponse<String> chunked = post(BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(large)));

        assertThat(announced.statusCode()).isEqualTo(413);
        assertThat(announced.body()).contains(MAX_BODY_BYTES + " bytes");
        assertThat(chunked.statusCode()).isEqualTo(413);
    }

    @Test
    void shouldAnswer413_whenTheJobWouldNotFitLater() throws Exception {
        String quotes = "'" + "\\'".repeat(1_200_000) + "'";

        HttpResponse<String> response = post("{'upstream':'gemini','request':{'path':'/x','body':" + quotes + "}}");

        assertThat(response.statusCode()).isEqualTo(413);
        assertThat(response.body()).contains("as a record the job would take");
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"})
    void shouldAnswer415_whenTheContentTypeIsAnother(String type) throws Exception {
        HttpResponse<String> response = client.send(
                request(BodyPublishers.ofString(json(SOUND)))
                        .setHeader("Content-Type", type)
                        .build(),
                HttpResponse.BodyHandlers.ofString());

        assertThat(response.statusCode()).isEqualTo(415);
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"\"", "256"})
    void shouldAnswer400_whenTheKeyIsEmptyOrTooLong(String key) throws Exception {
        HttpResponse<String> response = client.send(
                request(BodyPublishers.ofString(json(SOUND)))
                        .setHeader("Idempotency-Key", key.equals("256") ? "k".repeat(256) : key)
                        .build(),
                HttpResponse.BodyHandlers.ofString());

        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(response.body()).contains("Idempotency-Key of 1 to 255 characters");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 400\r\n\r\n{\"upstream\":",
                "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"ups",
                "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"ups\r\nnonsense\r\n",
            })
    void shouldAnswer400AndCountIt_whenTheBodyEndsEarlyOrIsBadlyChunked(String rest) throws Exception {
        double before = counted(400);

        String response = raw("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + rest);

        assertThat(response)
                .startsWith("HTTP/1.1 400 ")
                .contains("application/problem+json")
                .contains("ended before its announced end");
        assertThat(counted(400)).isEqualTo(before + 1);
        assertThat(counted(500)).isZero();
    }

    @Test
    void shouldAnswer413_whenTheRestOfALargeBodyNeverComes() throws Exception {
        assertThat(raw("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nxxx"))
                .startsWith("HTTP/1.1 413 ");
    }

    @Test
    void shouldAnswer408_whenTheBodyComesTooSlowly() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            OutputStream out = socket.getOutputStream();
            out.write("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 400\r\n\r\n{"
                    .getBytes(StandardCharsets.US_ASCII));
            socket.setSoTimeout(1);
            byte[] first = new byte[12];

            Awaitility.await().atMost(HttpServer.STALL_TIMEOUT).until(() -> {
                out.write(' ');
                try {
                    return socket.getInputStream().readNBytes(first, 0, first.length) == first.length;
                } catch (SocketTimeoutException e) {
                    return false;
                }
            });

            assertThat(new String(first, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 408");
        }
        assertThat(counted(408)).isEqualTo(1);
    }

    @Test
    void shouldAnswer503WithRetryAfter_whenKafkaIsNotThere() throws Exception {
        HttpResponse<String> response = post(SOUND);
        HttpResponse<String> ready =
                client.send(HttpRequest.newBuilder(uri("/readyz")).build(), HttpResponse.BodyHandlers.ofString());

        assertThat(response.statusCode()).as(response.body()).isEqualTo(503);
        assertThat(response.headers().firstValue("Retry-After")).hasValue("2");
        assertThat(response.headers().firstValue("Location")).isEmpty();
        assertThat(ready.statusCode()).isEqualTo(503);
        assertThat(metrics.scrape()).contains("weir_ingress_requests_total{status=\"503\"}");
    }

    @Test
    void shouldAnswer503_whenTooManyJobsWait() throws Exception {
        forecasts.wrote("gemini", waiting(Submissions.MOST_WAITING - 2), 1);
        assertThat(post(SOUND).headers().firstValue("Retry-After")).hasValue("2");
        forecasts.wrote("gemini", waiting(Submissions.MOST_WAITING - 1), 2);
        try {
            HttpResponse<String> response = post(SOUND);

            assertThat(response.statusCode()).isEqualTo(503);
            assertThat(response.headers().firstValue("Retry-After")).hasValue("60");
            assertThat(response.body()).contains("wait for gemini already");
        } finally {
            forecasts.wrote("gemini", null, 3);
        }
    }

    /** So many in lanes, and one scheduled. */
    private static Forecast waiting(long inLanes) {
        return new Forecast(
                Forecast.VERSION,
                "gemini",
                Instant.EPOCH,
                "running",
                null,
                "closed",
                false,
                1,
                Weights.DEFAULT,
                List.of(),
                new Forecast.Queue(inLanes, inLanes, 1, 0, 0, null, null),
                0,
                List.of(),
                List.of(new Forecast.BreakPoint(0, Instant.EPOCH, 1)),
                null,
                null);
    }

    private HttpResponse<String> post(String body) throws IOException, InterruptedException {
        return post(BodyPublishers.ofString(json(body)));
    }

    private HttpResponse<String> post(BodyPublisher body) throws IOException, InterruptedException {
        return client.send(request(body).build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest.Builder request(BodyPublisher body) {
        return HttpRequest.newBuilder(uri("/v1/jobs"))
                .version(HttpClient.Version.HTTP_1_1)
                .header("Content-Type", "application/json")
                .POST(body);
    }

    /** Sends bytes that no client would, ends the sending, and returns all that comes back. */
    private String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private double counted(int status) {
        Counter counter = metrics.find("weir.ingress.requests")
                .tag("status", Integer.toString(status))
                .counter();
        return counter == null ? 0 : counter.count();
    }

    private URI uri(String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }

    private static String json(String singleQuoted) {
        return singleQuoted.replace('\'', '"');
    }
}
