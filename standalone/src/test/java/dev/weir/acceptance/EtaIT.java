package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When jobs are told that they will be called, against when the upstream sees the call; {@code -Dweir.etas=3000} for more of them. */
@Tag("long")
class EtaIT {
    private static final int JOBS = Integer.getInteger("weir.etas", 600);
    /** Of what was told: the rest may fall into a stall of a busy machine. */
    private static final double WITHIN_A_SECOND = 0.99;
    /** After which an ETA must be right again. */
    private static final Duration AFTER_A_CHANGE = Duration.ofSeconds(1);

    private static final int ASKED_AT_ONCE = 8;

    @TempDir
    Path dir;

    private final Map<String, Instant> called = new ConcurrentHashMap<>();

    @Test
    void shouldBeRightWithinASecond_whileNothingChanges_andASecondAfterALimitHas() throws Exception {
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
                      - { permits: %d, per: 1m }
                """.formatted(upstream.getAddress().getPort(), JOBS))) {
            weir.start();
            int more = JOBS / 2;
            weir.send("POST", "/v1/upstreams/timed/pause", null);
            List<String> jobs = weir.submit("timed", JOBS + 2 * more);
            weir.send("POST", "/v1/upstreams/timed/resume", null);
            await().atMost(Duration.ofSeconds(30)).until(() -> called.size() > 10);

            Map<String, Instant> etas = etas(weir, jobs);
            awaitCalls(JOBS);
            assertRight("while nothing changes", etas);

            etas = changed(weir, jobs, 2 * JOBS);
            awaitCalls(JOBS + more);
            assertRight("after the limit was doubled", etas);

            etas = changed(weir, jobs, JOBS);
            awaitCalls(JOBS + 2 * more);
            assertRight("after the limit was halved", etas);

            await().atMost(Duration.ofSeconds(10)).until(() -> released(weir) >= jobs.size());
            System.out.println(weir.get("/v1/usage"));
        } finally {
            upstream.stop(0);
            answers.shutdownNow();
        }
    }

    private Map<String, Instant> changed(WeirProcess weir, List<String> jobs, int limit) throws Exception {
        String patch = "{\"limits\":[{\"permits\":" + limit + ",\"per\":\"1m\"}]}";
        assertThat(weir.send("PATCH", "/v1/upstreams/timed", patch).statusCode())
                .isEqualTo(200);
        await().atMost(AFTER_A_CHANGE)
                .until(() ->
                        weir.get("/v1/upstreams/timed").at("/windows/0/limit").asInt() == limit);
        return etas(weir, jobs.stream().filter(id -> !called.containsKey(id)).toList());
    }

    private void awaitCalls(int calls) {
        await().atMost(Duration.ofMinutes(4)).until(() -> called.size() >= calls);
    }

    private static long released(WeirProcess weir) throws Exception {
        long released = 0;
        for (JsonNode step : weir.get("/v1/upstreams/timed/releases").path("releases")) {
            released += step.path("count").asLong();
        }
        return released;
    }

    private static Map<String, Instant> etas(WeirProcess weir, List<String> jobs) throws Exception {
        ExecutorService workers = Executors.newFixedThreadPool(ASKED_AT_ONCE);
        try {
            Map<String, Future<JsonNode>> asked = new HashMap<>();
            for (String id : jobs) {
                asked.put(id, workers.submit(() -> weir.get("/v1/jobs/" + id)));
            }
            Map<String, Instant> etas = new HashMap<>();
            for (Map.Entry<String, Future<JsonNode>> one : asked.entrySet()) {
                JsonNode job = one.getValue().get(60, TimeUnit.SECONDS);
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

    /** Of the jobs that have been called meanwhile. */
    private void assertRight(String when, Map<String, Instant> etas) {
        List<Duration> errors = etas.entrySet().stream()
                .filter(told -> called.containsKey(told.getKey()))
                .map(told -> Duration.between(told.getValue(), called.get(told.getKey())))
                .sorted((a, b) -> a.abs().compareTo(b.abs()))
                .toList();
        assertThat(errors.size()).as(when).isGreaterThan(JOBS / 3);
        long right = errors.stream()
                .filter(error -> error.abs().compareTo(Duration.ofSeconds(1)) <= 0)
                .count();
        System.out.printf(
                "ETAs %s: %d of %d within a second; off by %d ms in the middle, %d ms at 99 %%, %d ms at most%n",
                when,
                right,
                errors.size(),
                errors.get(errors.size() / 2).toMillis(),
                errors.get((int) (errors.size() * 0.99)).toMillis(),
                errors.get(errors.size() - 1).toMillis());
        assertThat((double) right / errors.size()).as(when).isGreaterThanOrEqualTo(WITHIN_A_SECOND);
    }
}
