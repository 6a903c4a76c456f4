package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What jobs are told of when they will be called, against when the upstream sees the call. Short in a build;
 * {@code -Dweir.etas=3000} for as many jobs as one likes.
 */
class EtaIT {
    private static final int JOBS = Integer.getInteger("weir.etas", 500);
    /** Of all that were told: the rest may fall into a stall of a busy machine. */
    private static final double WITHIN_A_SECOND = 0.99;

    private static final int ASKED_AT_ONCE = 8;

    @TempDir
    Path dir;

    private final Map<String, Instant> called = new ConcurrentHashMap<>();

    @Test
    void shouldBeRightWithinASecond_beforeAndAfterALimitChange() throws Exception {
        HttpServer upstream = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        ExecutorService answers = Executors.newFixedThreadPool(8);
        upstream.setExecutor(answers);
        upstream.createContext("/", exchange -> {
            called.putIfAbsent(exchange.getRequestHeaders().getFirst("X-Job-Id"), Instant.now());
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        upstream.start();
        try (WeirProcess weir =
                new WeirProcess(dir, """
                upstreams:
                  timed:
                    baseUrl: http://127.0.0.1:%d
                    timeout: 5s
                    limits:
                      - { permits: 1500, per: 1m }
                """.formatted(upstream.getAddress().getPort()))) {
            weir.start();
            weir.send("POST", "/v1/upstreams/timed/pause", null);
            List<String> jobs = weir.submit("timed", JOBS);
            weir.send("POST", "/v1/upstreams/timed/resume", null);
            await().atMost(Duration.ofSeconds(30)).until(() -> called.size() > 10);

            Map<String, Instant> first = etas(weir, jobs);
            await().atMost(Duration.ofSeconds(JOBS)).until(() -> called.size() > JOBS / 2);
            List<String> before =
                    first.keySet().stream().filter(called::containsKey).toList();
            assertRight("before the change", first, before);

            weir.send("PATCH", "/v1/upstreams/timed", "{\"limits\":[{\"permits\":3000,\"per\":\"PT1M\"}]}");
            await().pollDelay(Duration.ofSeconds(1)).until(() -> true);
            List<String> waiting =
                    jobs.stream().filter(id -> !called.containsKey(id)).toList();
            Map<String, Instant> second = etas(weir, waiting);
            await().atMost(Duration.ofSeconds(JOBS)).until(() -> called.size() == JOBS);
            assertRight("after the change", second, List.copyOf(second.keySet()));
            assertThat(weir.get("/v1/upstreams/timed/releases?step=PT1H")
                            .at("/releases")
                            .findValuesAsText("count"))
                    .as("releases are counted")
                    .contains(Integer.toString(JOBS));
        } finally {
            upstream.stop(0);
            answers.shutdownNow();
        }
    }

    private Map<String, Instant> etas(WeirProcess weir, List<String> jobs) throws Exception {
        ExecutorService workers = Executors.newFixedThreadPool(ASKED_AT_ONCE);
        try {
            Map<String, Future<JsonNode>> asked = new HashMap<>();
            for (String id : jobs) {
                asked.put(id, workers.submit(() -> weir.get("/v1/jobs/" + id)));
            }
            Map<String, Instant> etas = new HashMap<>();
            for (Map.Entry<String, Future<JsonNode>> one : asked.entrySet()) {
                JsonNode job = one.getValue().get();
                if (job.path("status").asText().equals("queued")) {
                    assertThat(job.path("position").isNumber()).isTrue();
                    etas.put(one.getKey(), Instant.parse(job.path("eta").asText()));
                }
            }
            return etas;
        } finally {
            workers.shutdownNow();
        }
    }

    private void assertRight(String when, Map<String, Instant> etas, List<String> jobs) throws IOException {
        List<Duration> errors = new ArrayList<>();
        for (String id : jobs) {
            errors.add(Duration.between(etas.get(id), called.get(id)).abs());
        }
        errors.sort(null);
        long right = errors.stream()
                .filter(e -> e.compareTo(Duration.ofSeconds(1)) <= 0)
                .count();
        System.out.printf(
                "ETAs %s: %d of %d within a second, median error %s, most %s%n",
                when, right, errors.size(), errors.get(errors.size() / 2), errors.get(errors.size() - 1));
        assertThat(errors.size()).isGreaterThan(JOBS / 10);
        assertThat((double) right / errors.size()).as(when).isGreaterThanOrEqualTo(WITHIN_A_SECOND);
    }
}
