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
import dev.weir.contracts.limit.Allowance;
import io.javalin.config.RoutesConfig;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** How a quota shows over HTTP: fields, 429, whose it is, and by which address those without a key are counted. */
class QuotaTest {
    private static final String KEY = "key-of-acme";
    private static final String POST_JOB = "POST /v1/jobs";

    private final HttpClient client = HttpClient.newHttpClient();
    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    @Test
    void shouldSayWhatIsLeft_andRefuseWhatIsTooMuch() throws Exception {
        try (HttpServer server = server(clients(false))) {
            HttpResponse<String> first = ask(server, POST_JOB, KEY);
            HttpResponse<String> second = ask(server, POST_JOB, KEY);
            HttpResponse<String> third = ask(server, POST_JOB, KEY);

            assertThat(first.statusCode()).isEqualTo(200);
            assertThat(field(first, "RateLimit-Policy")).isEqualTo("\"small\";q=2;w=3600");
            assertThat(field(first, "RateLimit")).isEqualTo("\"small\";r=1;t=3600");
            assertThat(first.headers().map()).doesNotContainKeys("x-ratelimit-limit", "retry-after");
            assertThat(field(second, "RateLimit")).startsWith("\"small\";r=0;t=");
            assertThat(third.statusCode()).isEqualTo(429);
            assertThat(field(third, "RateLimit-Policy")).isEqualTo("\"small\";q=2;w=3600");
            assertThat(field(third, "RateLimit")).startsWith("\"small\";r=0;t=3");
            assertThat(Long.parseLong(field(third, "Retry-After"))).isBetween(3500L, 3600L);
            assertThat(field(third, "Content-Type")).isEqualTo("application/problem+json");
            JsonNode problem = Json.MAPPER.readTree(third.body());
            assertThat(problem.path("type").asText())
                    .isEqualTo("https://iana.org/assignments/http-problem-types#quota-exceeded");
            assertThat(problem.path("status").asInt()).isEqualTo(429);
            assertThat(problem.path("violated-policies")).hasToString("[\"small\"]");
            assertThat(problem.path("retryAfter").asLong()).isBetween(3500L, 3600L);
            assertThat(problem.path("detail").asText()).startsWith("the tier small allows 2 in every 1h");
        }
    }

    @Test
    void shouldShareOneQuota_amongTheKeysOfATenantAndTier() throws Exception {
        try (HttpServer server = server(clients(false))) {
            ask(server, POST_JOB, KEY);

            assertThat(field(ask(server, POST_JOB, "second-key-of-acme"), "RateLimit"))
                    .startsWith("\"small\";r=0");
            assertThat(ask(server, POST_JOB, "key-of-other").statusCode()).isEqualTo(200);
            assertThat(ask(server, POST_JOB, KEY).statusCode()).isEqualTo(429);
            assertThat(ask(server, "GET /v1/jobs/1", KEY).statusCode())
                    .as("only what is submitted is counted")
                    .isEqualTo(200);
        }
    }

    @Test
    void shouldCountEachJob_whenThereAreManyInARequest() throws Exception {
        try (HttpServer server = server(clients(false))) {
            HttpResponse<String> batch = ask(server, "POST /v1/jobs/batch", KEY);

            assertThat(batch.body()).isEqualTo("taken taken 429 429 ");
            assertThat(field(batch, "RateLimit-Policy")).isEqualTo("\"small\";q=2;w=3600");
            assertThat(field(batch, "RateLimit")).isEqualTo("\"small\";r=2");
            assertThat(ask(server, POST_JOB, KEY).statusCode()).isEqualTo(429);
        }
    }

    @Test
    void shouldSayItInTheOldFieldsToo_whenAskedTo() throws Exception {
        try (HttpServer server = server(clients(true))) {
            HttpResponse<String> response = ask(server, POST_JOB, KEY);

            assertThat(field(response, "X-RateLimit-Limit")).isEqualTo("2");
            assertThat(field(response, "X-RateLimit-Remaining")).isEqualTo("1");
            assertThat(field(response, "X-RateLimit-Reset")).isEqualTo("3600");
        }
    }

    @Test
    void shouldLimitNobody_whenThereAreNoClients() throws Exception {
        try (HttpServer server = server(Clients.NONE)) {
            assertThat(ask(server, POST_JOB, "").headers().map()).doesNotContainKeys("ratelimit", "ratelimit-policy");
            assertThat(ask(server, "POST /v1/jobs/batch", "").body()).isEqualTo("taken taken taken taken ");
        }
    }

    @Test
    void shouldCountThoseWithoutAKeyByAddress_andBelieveTrustedProxiesOnly() throws Exception {
        try (HttpServer server = server(clients(false))) {
            for (int i = 0; i < 3; i++) {
                assertThat(ask(server, "GET /v1/jobs/1", "guess-" + i, "203.0.113.7")
                                .statusCode())
                        .isEqualTo(401);
            }
            HttpResponse<String> fourth = ask(server, "GET /v1/jobs/1", "guess-4", "203.0.113.7");
            assertThat(fourth.statusCode()).isEqualTo(429);
            assertThat(field(fourth, "RateLimit-Policy")).isEqualTo("\"anonymous\";q=3;w=60");

            assertThat(ask(server, "GET /v1/jobs/1", "guess", "203.0.113.8").statusCode())
                    .isEqualTo(401);
            assertThat(ask(server, "GET /v1/jobs/1", "guess", "198.51.100.1, 203.0.113.7")
                            .statusCode())
                    .as("what stands to the left anyone can have written")
                    .isEqualTo(429);
            assertThat(ask(server, "GET /v1/jobs/1", "guess", "203.0.113.7, 10.9.9.9")
                            .statusCode())
                    .as("10.9.9.9 is a trusted proxy")
                    .isEqualTo(429);
            assertThat(ask(server, "GET /v1/jobs/1", KEY, "203.0.113.7").statusCode())
                    .as("whoever has a key is not counted by address")
                    .isEqualTo(200);
        }
    }

    @Test
    void shouldCountAnIpv6NetworkOf64BitsAsOneCaller() throws Exception {
        try (HttpServer server = server(clients(false))) {
            for (int i = 0; i < 3; i++) {
                ask(server, POST_JOB, "guess", "2001:db8:1:2::" + i);
            }

            assertThat(ask(server, POST_JOB, "guess", "2001:db8:1:2:ffff::1").statusCode())
                    .isEqualTo(429);
            assertThat(ask(server, POST_JOB, "guess", "2001:db8:1:3::1").statusCode())
                    .isEqualTo(401);
            assertThat(ask(server, POST_JOB, "guess", "::ffff:192.0.2.1").statusCode())
                    .isEqualTo(401);
        }
    }

    @Test
    void shouldNotBelieveAnybody_whenNoProxyIsTrusted() throws Exception {
        Clients clients = clients(false);
        Clients direct = new Clients(clients.list(), clients.tiers(), false, List.of());
        try (HttpServer server = server(direct)) {
            for (int i = 0; i < 3; i++) {
                assertThat(ask(server, POST_JOB, "guess", "203.0.113." + i).statusCode())
                        .isEqualTo(401);
            }
            assertThat(ask(server, POST_JOB, "guess", "203.0.113.99").statusCode())
                    .isEqualTo(429);
        }
    }

    private static Clients clients(boolean oldFields) {
        Map<String, Tier> tiers = new HashMap<>(Tier.defaults());
        tiers.put("small", new Tier("small", 2, Duration.ofHours(1)));
        tiers.put(Tier.ANONYMOUS, new Tier(Tier.ANONYMOUS, 3, Duration.ofMinutes(1)));
        return new Clients(
                List.of(client("acme", KEY), client("acme", "second-key-of-acme"), client("other", "key-of-other")),
                tiers,
                oldFields,
                List.of(
                        Objects.requireNonNull(AddressRange.parse("127.0.0.1")),
                        Objects.requireNonNull(AddressRange.parse("10.0.0.0/8"))));
    }

    private static ClientConfig client(String tenant, String key) {
        return new ClientConfig(tenant, KeyHash.of(key), "small", 1, ClientRole.PRODUCER);
    }

    private HttpServer server(Clients clients) {
        return new HttpServer(
                "127.0.0.1", 0, 1024, List.of(QuotaTest::routes), Map.of(), metrics, new Gate(clients, metrics));
    }

    private static void routes(RoutesConfig routes) {
        routes.post("/v1/jobs", ctx -> ctx.result("taken"));
        routes.get("/v1/jobs/{id}", ctx -> ctx.result("shown"));
        routes.post("/v1/jobs/batch", ctx -> {
            StringBuilder answers = new StringBuilder();
            for (int i = 0; i < 4; i++) {
                var refused = Allowance.of(ctx).take();
                answers.append(refused == null ? "taken" : refused.status()).append(' ');
            }
            ctx.result(answers.toString());
        });
    }

    private HttpResponse<String> ask(HttpServer server, String line, String key, String... forwardedFor)
            throws Exception {
        String[] parts = line.split(" ", -1);
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + parts[1]))
                .method(parts[0], HttpRequest.BodyPublishers.noBody());
        if (!key.isEmpty()) {
            request.header("X-API-Key", key);
        }
        List.of(forwardedFor).forEach(address -> request.header("X-Forwarded-For", address));
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static String field(HttpResponse<String> response, String name) {
        return response.headers().firstValue(name).orElse("");
    }
}
