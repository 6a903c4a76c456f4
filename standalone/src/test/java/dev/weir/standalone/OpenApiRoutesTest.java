package dev.weir.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.access.AccessRules;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.db.Database;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import dev.weir.ingress.Ingress;
import dev.weir.status.StatusQuery;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The routes that the roles really register, beside those that {@code /openapi.json} and the access rules know. */
class OpenApiRoutesTest {
    @Test
    void shouldDescribeAndGuardEveryRoute_andNoOther(@TempDir Path dir) throws Exception {
        KafkaSettings noKafka = new KafkaSettings("127.0.0.1:1", "test", dir, (short) 1, KafkaSettings.SESSION_TIMEOUT);
        WeirConfig config = new WeirConfig(Map.of(), WeirConfig.DEFAULT_MAX_BODY_BYTES);
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        InstantSource clock = InstantSource.system();
        Upstreams upstreams = new Upstreams(config, noKafka);
        CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(noKafka);
        try (Database database = new Database("postgresql://nobody:none@127.0.0.1:1/none", 1, "test", metrics);
                StatusQuery status =
                        new StatusQuery(noKafka, upstreams, forecasts, database, metrics, clock, "127.0.0.1:1", null);
                Ingress ingress = new Ingress(
                        config,
                        noKafka,
                        upstreams,
                        forecasts,
                        id -> CompletableFuture.completedFuture(null),
                        (id, patience) -> CompletableFuture.completedFuture(null),
                        metrics,
                        clock);
                HttpServer server = new HttpServer(
                        "127.0.0.1", 0, 1024, List.of(status::routes, ingress::routes), Map.of(), metrics)) {
            SortedSet<String> served = server.routes();

            assertThat(served).allSatisfy(route -> {
                String[] parts = route.split(" ", 2);
                assertThat(AccessRules.covers(parts[0], parts[1])).as(route).isTrue();
            });
            SortedSet<String> forOthers = new TreeSet<>(served);
            // Pages for people, and what roles ask each other.
            forOthers.removeIf(route -> route.startsWith("GET /docs") || route.startsWith("GET /internal/"));
            assertThat(described()).isEqualTo(forOthers);
        }
    }

    private static SortedSet<String> described() throws Exception {
        SortedSet<String> routes = new TreeSet<>();
        try (InputStream in = Objects.requireNonNull(HttpServer.class.getResourceAsStream("/openapi.json"))) {
            JsonNode document = Json.MAPPER.readTree(in.readAllBytes());
            document.path("paths")
                    .properties()
                    .forEach(path -> path.getValue()
                            .fieldNames()
                            .forEachRemaining(
                                    method -> routes.add(method.toUpperCase(Locale.ROOT) + " " + path.getKey())));
        }
        return routes;
    }
}
