package dev.weir.contracts.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.AddressRange;
import dev.weir.contracts.config.ClientConfig;
import dev.weir.contracts.config.ClientRole;
import dev.weir.contracts.config.Clients;
import dev.weir.contracts.config.KeyHash;
import dev.weir.contracts.config.Tier;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.kafka.Json;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Who gets in where, as raw HTTP over a socket, on a server with every route that a role of Weir has. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GateTest {
    private static final String PRODUCER = "Authorization: Bearer producer-key-of-acme";
    private static final Clients CLIENTS = new Clients(
            List.of(
                    client("acme", "producer-key-of-acme", ClientRole.PRODUCER),
                    client("ops", "operator-key", ClientRole.OPERATOR),
                    client("bi", "analyst-key", ClientRole.ANALYST)),
            Tier.defaults(),
            false,
            List.of());

    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final HttpServer guarded = server(CLIENTS);
    private final HttpServer without = server(Clients.NONE);

    private record Answer(int status, Map<String, String> headers, String body) {
        JsonNode problem() throws IOException {
            assertThat(headers.get("content-type")).isEqualTo("application/problem+json");
            return Json.MAPPER.readTree(body);
        }
    }

    @AfterAll
    void stop() {
        guarded.close();
        without.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // what                              | producer | operator | analyst
                "POST   /v1/jobs                     | 200 | 403 | 403",
                "POST   /v1/jobs/batch               | 200 | 403 | 403",
                "GET    /v1/jobs                     | 200 | 200 | 200",
                "GET    /v1/jobs/1                   | 200 | 200 | 200",
                "GET    /v1/jobs/1/events            | 200 | 200 | 200",
                "DELETE /v1/jobs/1                   | 200 | 200 | 403",
                "GET    /v1/upstreams                | 200 | 200 | 200",
                "GET    /v1/upstreams/a              | 200 | 200 | 200",
                "GET    /v1/upstreams/a/releases     | 200 | 200 | 200",
                "GET    /v1/upstreams/a/forecast     | 403 | 200 | 200",
                "PATCH  /v1/upstreams/a              | 403 | 200 | 403",
                "POST   /v1/upstreams/a/pause        | 403 | 200 | 403",
                "POST   /v1/upstreams/a/resume       | 403 | 200 | 403",
                "GET    /internal/known-jobs/1       | 403 | 403 | 403",
                "GET    /forgotten                   | 403 | 403 | 403",
                "GET    /healthz                     | 200 | 200 | 200",
                "GET    /openapi.json                | 200 | 200 | 200",
            })
    void shouldLetEachRoleDoWhatIsItsOwn(String route, int producer, int operator, int analyst) throws IOException {
        assertThat(ask(guarded, route, PRODUCER).status()).isEqualTo(producer);
        assertThat(ask(guarded, route, "X-API-Key: operator-key").status()).isEqualTo(operator);
        assertThat(ask(guarded, route, "authorization: bEARER analyst-key").status())
                .isEqualTo(analyst);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/healthz", "/readyz", "/metrics", "/openapi.json"})
    void shouldBeOpen_whereProbesAndReadersAsk(String path) throws IOException {
        assertThat(ask(guarded, "GET " + path).status()).isEqualTo(200);
        assertThat(ask(without, "GET " + path, "Host: weir.example").status()).isEqualTo(200);
    }

    @Test
    void shouldChallenge_whenThereIsNoCredential() throws IOException {
        Answer answer = ask(guarded, "POST /v1/jobs");

        assertThat(answer.status()).isEqualTo(401);
        assertThat(answer.headers().get("www-authenticate")).isEqualTo("Bearer realm=\"weir\"");
        assertThat(answer.problem().path("detail").asText()).contains("X-API-Key");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Authorization: Bearer producer-key-of-acmf",
                "Authorization: Bearer producer-key-of-acm",
                "Authorization: Bearer",
                "X-API-Key: nobody",
                "X-API-Key:",
            })
    void shouldSayThatItIsNotKnown_andNothingMore_whenTheKeyIsWrong(String header) throws IOException {
        Answer answer = ask(guarded, "GET /v1/jobs/1", header);

        assertThat(answer.status()).isEqualTo(header.endsWith("Bearer") ? 400 : 401);
        assertThat(answer.headers().get("www-authenticate")).startsWith("Bearer realm=\"weir\", error=\"invalid_");
        assertThat(answer.body()).doesNotContain("producer-key", "nobody", "acme");
    }

    @Test
    void shouldRefuse_whenTwoCredentialsAreShown() throws IOException {
        assertThat(ask(guarded, "GET /v1/jobs/1", PRODUCER, "X-API-Key: analyst-key")
                        .status())
                .isEqualTo(400);
        assertThat(ask(guarded, "GET /v1/jobs/1", PRODUCER, PRODUCER).status()).isEqualTo(400);
        assertThat(ask(guarded, "GET /v1/jobs/1", "Authorization: Basic YTpi").status())
                .isEqualTo(400);
    }

    @Test
    void shouldTellTheRouteWhoAsks_fromTheCredentialAlone() throws IOException {
        Answer answer = ask(guarded, "GET /v1/jobs/1?tenant=other", PRODUCER, "X-Tenant: other");

        assertThat(answer.body()).isEqualTo("acme [PRODUCER] free");
        assertThat(ask(without, "GET /v1/jobs/1").body()).isEqualTo("local [PRODUCER, OPERATOR, ANALYST] null");
    }

    @Test
    void shouldKnowAPeer_byTheClientsThatItKnows() throws IOException {
        String token = "Authorization: Bearer " + Objects.requireNonNull(PeerToken.of(CLIENTS));
        List<ClientConfig> reversed = new ArrayList<>(CLIENTS.list());
        java.util.Collections.reverse(reversed);
        Clients fewer = new Clients(reversed.subList(0, 2), Tier.defaults(), false, List.of());

        assertThat(ask(guarded, "GET /internal/known-jobs/1", token).status()).isEqualTo(200);
        assertThat(PeerToken.of(new Clients(reversed, Tier.defaults(), false, List.of())))
                .isEqualTo(PeerToken.of(CLIENTS));
        assertThat(ask(guarded, "GET /internal/known-jobs/1", "X-API-Key: " + PeerToken.of(fewer))
                        .status())
                .isEqualTo(403);
        assertThat(ask(guarded, "GET /internal/known-jobs/1").status()).isEqualTo(403);
        assertThat(ask(guarded, "POST /v1/jobs", token).status()).isEqualTo(401);
        assertThat(ask(without, "GET /internal/known-jobs/1").status()).isEqualTo(200);
        assertThat(ask(without, "GET /internal/known-jobs/1", "Via: 1.1 p").status())
                .isEqualTo(403);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Host: 127.0.0.1:8080                       | 200",
                "Host: LocalHost                            | 200",
                "Host: [::1]:8080                           | 200",
                "Host: weir.example                         | 200",
                "X-Forwarded-For: 127.0.0.1                 | 403",
                "Forwarded: for=127.0.0.1                   | 403",
                "Origin: https://evil.example               | 403",
                "Origin: null                               | 403",
                "Origin: http://127.0.0.1                   | 200",
                "Sec-Fetch-Site: cross-site                 | 403",
                "Sec-Fetch-Site: same-origin                | 200",
                "Authorization: Bearer some-key             | 200",
            })
    void shouldTakeCallsFromThisMachineOnly_whenThereAreNoClients(String header, int status) throws IOException {
        Answer answer = ask(without, "POST /v1/jobs", header);

        assertThat(answer.status()).isEqualTo(status);
        if (status == 403) {
            assertThat(answer.problem().path("detail").asText()).startsWith("no clients are configured, so only calls");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "127.0.0.1:8080         | Accept-Language: en     | 200",
                "LocalHost              | Accept-Language: en     | 200",
                "[::1]:8080             | Accept-Language: en     | 200",
                "weir.example           | Accept-Language: en     | 403",
                "localhost.evil.example | Referer: http://x       | 403",
                "127.0.0.1.evil.example | User-Agent: Mozilla/5.0 | 403",
            })
    void shouldTakeABrowsersCallsUnderThisMachinesNamesOnly_whenThereAreNoClients(String host, String sign, int status)
            throws IOException {
        assertThat(ask(without, "GET /v1/jobs/1", "Host: " + host, sign).status())
                .isEqualTo(status);
    }

    @Test
    void shouldCountWhatItRefuses_asTheIngressWould() throws IOException {
        double before =
                metrics.counter("weir.ingress.requests", "status", "401").count();

        ask(guarded, "POST /v1/jobs");
        ask(guarded, "GET /v1/jobs/1");

        assertThat(metrics.counter("weir.ingress.requests", "status", "401").count() - before)
                .isEqualTo(1);
    }

    @Test
    void shouldRunNothing_whenOnlyTheHeadIsAskedFor() throws IOException {
        assertThat(ask(guarded, "HEAD /v1/jobs/1").body()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.1.2, true",
        "10.0.0.0/8, 11.0.0.1, false",
        "10.0.0.0/9, 10.128.0.0, false",
        "0.0.0.0/0, 8.8.8.8, true",
        "0.0.0.0/0, ::1, false",
        "2001:db8::/32, 2001:db8:1::5, true",
        "2001:db8::/32, 2001:db9::5, false",
    })
    void shouldKnowWhatIsInARange(String range, String address, boolean inside) {
        assertThat(Objects.requireNonNull(AddressRange.parse(range))
                        .contains(Objects.requireNonNull(AddressRange.address(address))))
                .isEqualTo(inside);
    }

    private HttpServer server(Clients clients) {
        return new HttpServer(
                "127.0.0.1", 0, 1024, List.of(GateTest::routes), Map.of(), metrics, new Gate(clients, metrics));
    }

    private static void routes(RoutesConfig routes) {
        routes.post("/v1/jobs", GateTest::tell);
        routes.post("/v1/jobs/batch", GateTest::tell);
        routes.get("/v1/jobs", GateTest::tell);
        routes.get("/v1/jobs/{id}", GateTest::tell);
        routes.get("/v1/jobs/{id}/events", GateTest::tell);
        routes.delete("/v1/jobs/{id}", GateTest::tell);
        routes.get("/v1/upstreams", GateTest::tell);
        routes.get("/v1/upstreams/{name}", GateTest::tell);
        routes.get("/v1/upstreams/{name}/releases", GateTest::tell);
        routes.get("/v1/upstreams/{name}/forecast", GateTest::tell);
        routes.patch("/v1/upstreams/{name}", GateTest::tell);
        routes.post("/v1/upstreams/{name}/pause", GateTest::tell);
        routes.post("/v1/upstreams/{name}/resume", GateTest::tell);
        routes.get("/internal/known-jobs/{id}", ctx -> ctx.result("known"));
        routes.get("/forgotten", GateTest::tell);
    }

    private static void tell(Context ctx) {
        Caller caller = Caller.of(ctx);
        Tier tier = caller.tier();
        ctx.result(caller.tenant() + " " + caller.roles().stream().sorted().toList() + " "
                + (tier == null ? null : tier.name()));
    }

    private static ClientConfig client(String tenant, String key, ClientRole role) {
        return new ClientConfig(tenant, KeyHash.of(key), Tier.FREE, 1, role);
    }

    private static Answer ask(HttpServer server, String line, String... headers) throws IOException {
        boolean host = List.of(headers).stream().anyMatch(h -> h.startsWith("Host:"));
        StringBuilder request = new StringBuilder(line.strip().replaceAll(" +", " ")).append(" HTTP/1.1\r\n");
        request.append(host ? "" : "Host: 127.0.0.1\r\n").append("Connection: close\r\n");
        List.of(headers).forEach(header -> request.append(header).append("\r\n"));
        @Nullable String response;
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.getOutputStream().write(request.append("\r\n").toString().getBytes(StandardCharsets.US_ASCII));
            response = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
        String[] parts = response.split("\r\n\r\n", 2);
        Map<String, String> fields = new java.util.HashMap<>();
        parts[0].lines()
                .skip(1)
                .map(l -> l.split(": *", 2))
                .forEach(f -> fields.put(f[0].toLowerCase(java.util.Locale.ROOT), f.length > 1 ? f[1] : ""));
        return new Answer(Integer.parseInt(parts[0].substring(9, 12)), fields, parts.length > 1 ? parts[1] : "");
    }
}
