package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Who may do what in a whole Weir, in a process of its own, with clients in its configuration. */
class AccessIT {
    private static final String ACME = "acme-key-0123456789";
    private static final String OTHER = "other-key-0123456789";
    private static final String OPERATOR = "operator-key-0123456789";
    private static final String YAML = """
            upstreams:
              api: { baseUrl: http://127.0.0.1:9, limits: [{ permits: 1000, per: 1m }] }
            clients:
              - { tenant: acme, apiKey: acme-key-0123456789, tier: two }
              - { tenant: other, apiKey: other-key-0123456789 }
              - { tenant: ops, apiKey: operator-key-0123456789, role: operator }
            tiers:
              two: { permits: 2, per: 1h }
            """;

    @Test
    void shouldKnowCallersByTheirKeys_andKeepTenantsApart(@TempDir Path dir) throws Exception {
        try (WeirProcess weir = new WeirProcess(dir, YAML)) {
            weir.start();

            assertThat(send(weir, "POST", "/v1/upstreams/api/pause", ACME).statusCode())
                    .isEqualTo(403);
            assertThat(send(weir, "POST", "/v1/upstreams/api/pause", OPERATOR).statusCode())
                    .isBetween(200, 202);
            assertThat(submit(weir, null).statusCode()).isEqualTo(401);
            assertThat(submit(weir, OPERATOR).statusCode()).isEqualTo(403);
            HttpResponse<String> taken = submit(weir, ACME);
            assertThat(taken.statusCode()).as(taken.body()).isEqualTo(202);
            assertThat(taken.headers().firstValue("RateLimit")).hasValue("\"two\";r=1;t=3600");
            String job =
                    "/v1/jobs/" + Json.MAPPER.readTree(taken.body()).path("id").asText();

            assertThat(json(send(weir, "GET", job, ACME)).path("tenant").asText())
                    .isEqualTo("acme");
            assertThat(send(weir, "GET", job, OTHER).statusCode()).isEqualTo(404);
            assertThat(send(weir, "DELETE", job, OTHER).statusCode()).isEqualTo(404);
            assertThat(send(weir, "GET", job, OPERATOR).statusCode()).isEqualTo(200);
            assertThat(commandLine(weir, ACME, job.substring(9))).isZero();
            assertThat(commandLine(weir, OTHER, job.substring(9))).isEqualTo(1);

            assertThat(submit(weir, ACME).statusCode()).isEqualTo(202);
            HttpResponse<String> third = submit(weir, ACME);
            assertThat(third.statusCode()).isEqualTo(429);
            assertThat(json(third).path("type").asText()).endsWith("#quota-exceeded");
            assertThat(submit(weir, OTHER).statusCode()).isEqualTo(202);

            assertThat(weir.log()).contains("3 clients are configured").doesNotContain("key-0123456789");
            assertThat(send(weir, "GET", "/metrics", OPERATOR).body())
                    .contains("weir_ingress_requests_total{status=\"401\"}", "status=\"429\"")
                    .doesNotContain("acme", "key-0123456789");
        }
    }

    /** {@code weir jobs get} with the key in its environment; its exit code. */
    private static int commandLine(WeirProcess weir, String key, String id) throws Exception {
        ProcessBuilder command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "dev.weir.standalone.Main",
                "jobs",
                "get",
                "--url",
                weir.url(),
                id);
        command.environment().put("WEIR_API_KEY", key);
        Process process = command.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as(said).isTrue();
        assertThat(said).doesNotContain(key);
        return process.exitValue();
    }

    private static HttpResponse<String> submit(WeirProcess weir, @Nullable String key) throws Exception {
        HttpRequest.Builder request = request(weir, "/v1/jobs", key)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString("{\"upstream\":\"api\",\"request\":{\"path\":\"/x\"}}"));
        return weir.send(request);
    }

    private static HttpResponse<String> send(WeirProcess weir, String method, String path, String key)
            throws Exception {
        return weir.send(request(weir, path, key).method(method, BodyPublishers.noBody()));
    }

    private static HttpRequest.Builder request(WeirProcess weir, String path, @Nullable String key) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(weir.url() + path));
        return key == null ? request : request.header("Authorization", "Bearer " + key);
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        return Json.MAPPER.readTree(response.body());
    }
}
