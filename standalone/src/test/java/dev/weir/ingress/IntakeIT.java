package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.standalone.KafkaAtPort;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs of 1 KB over 64 connections that stay open: what was answered 202 is in the topics, once for each key, though the
 * broker is killed in the middle. {@code -Dweir.jobs=100000} for a longer run.
 */
@Tag("long")
class IntakeIT {
    private static final int JOBS = Integer.getInteger("weir.jobs", 2_000);
    private static final int CONNECTIONS = 64;
    /** Each so many-th key comes twice at once. */
    private static final int TWICE = 10;

    private static final String TEXT = "x".repeat(960);

    private static final Duration PATIENCE = Duration.ofMinutes(1);

    @TempDir
    Path dir;

    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** What each key was answered, by status; the id of a 202. */
    private final Map<String, String> accepted = new ConcurrentHashMap<>();

    private final Map<Integer, AtomicInteger> statuses = new ConcurrentHashMap<>();
    private final AtomicInteger withoutRetryAfter = new AtomicInteger();
    private final AtomicInteger otherIds = new AtomicInteger();
    private final AtomicInteger acceptedAfter = new AtomicInteger();

    @Test
    void shouldHaveEveryAcceptedJobInTheTopics_onceForEachKey() throws Exception {
        try (KafkaAtPort kafka = new KafkaAtPort(dir.resolve("kafka"));
                RunningIngress ingress = new RunningIngress(kafka.bootstrapServers(), dir, "plain")) {
            long startedNs = System.nanoTime();
            submit(ingress, "calm", JOBS, new AtomicInteger());
            report("without a kill", startedNs, JOBS);

            assertThat(statuses).containsOnlyKeys(202);
            assertThat(otherIds).as("keys with two ids").hasValue(0);
            assertThat(accepted).hasSize(JOBS);
            Map<String, Integer> times = times(ingress, "calm");
            assertThat(times).hasSize(JOBS);
            assertThat(times.values()).as("records of each key's job").containsOnly(1);

            accepted.clear();
            statuses.clear();
            killed(kafka, ingress);
        }
    }

    private void killed(KafkaAtPort kafka, RunningIngress ingress) throws Exception {
        AtomicInteger sent = new AtomicInteger();
        AtomicInteger back = new AtomicInteger();
        Thread killer = new Thread(
                () -> {
                    while (sent.get() < JOBS / 3) {
                        Thread.onSpinWait();
                    }
                    kafka.kill();
                    kafka.start();
                    back.set(1);
                },
                "killer");
        killer.start();
        long startedNs = System.nanoTime();
        submit(ingress, "killed", JOBS, sent);
        killer.join();
        acceptedAfter.set(accepted.size());
        await().atMost(PATIENCE).until(() -> {
            submit(ingress, "after", CONNECTIONS, sent);
            return accepted.keySet().stream().anyMatch(key -> key.startsWith("after"));
        });
        report("with a kill -9 of the broker", startedNs, JOBS + CONNECTIONS);

        assertThat(statuses.keySet()).isSubsetOf(202, 503);
        assertThat(statuses).containsKeys(202, 503);
        assertThat(withoutRetryAfter).as("503 without Retry-After").hasValue(0);
        assertThat(otherIds).as("keys with two ids").hasValue(0);
        Map<String, Integer> times = times(ingress, "killed");
        times.putAll(times(ingress, "after"));
        assertThat(times.keySet()).as("ids in the topics").containsAll(accepted.values());
        assertThat(accepted.keySet())
                .as("taken again, once the broker is back")
                .anyMatch(key -> key.startsWith("after"));
    }

    private void report(String what, long startedNs, int jobs) {
        double seconds = (System.nanoTime() - startedNs) / 1e9;
        System.out.printf(
                "%s: %d jobs in %.1f s, %.0f a second; answers by status %s%n",
                what, jobs, seconds, jobs / seconds, statuses);
    }

    private void submit(RunningIngress ingress, String prefix, int jobs, AtomicInteger sent) throws Exception {
        Semaphore free = new Semaphore(CONNECTIONS);
        for (int i = 0; i < jobs; i++) {
            for (int copy = 0; copy < (i % TWICE == 0 ? 2 : 1); copy++) {
                free.acquire();
                String key = prefix + "-" + i;
                CompletableFuture<?> unused = client.sendAsync(
                                request(ingress, key, i), HttpResponse.BodyHandlers.ofByteArray())
                        .handle((response, failure) -> {
                            answered(key, failure == null ? response : null);
                            sent.incrementAndGet();
                            free.release();
                            return null;
                        });
            }
        }
        free.acquire(CONNECTIONS);
    }

    private void answered(String key, @org.jspecify.annotations.Nullable HttpResponse<byte[]> response) {
        int status = response == null ? 0 : response.statusCode();
        statuses.computeIfAbsent(status, s -> new AtomicInteger()).incrementAndGet();
        if (response == null) {
            return;
        }
        if (status == 503 && response.headers().firstValue("Retry-After").isEmpty()) {
            withoutRetryAfter.incrementAndGet();
        }
        if (status == 202) {
            String id = id(response.body());
            String before = accepted.put(key, id);
            if (before != null && !before.equals(id)) {
                otherIds.incrementAndGet();
            }
        }
    }

    private static String id(byte[] body) {
        try {
            JsonNode json = Json.MAPPER.readTree(body);
            return json.path("id").asText();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static HttpRequest request(RunningIngress ingress, String key, int n) {
        return HttpRequest.newBuilder(ingress.uri("/v1/jobs"))
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", key)
                .POST(HttpRequest.BodyPublishers.ofString("{\"upstream\":\"plain\",\"request\":{\"path\":\"/" + key
                        + "\",\"body\":{\"n\":" + n + ",\"text\":\"" + TEXT + "\"}}}"))
                .build();
    }

    /** How often each job whose path begins like that stands in weir.requests; each must stand in weir.accepted too. */
    private static Map<String, Integer> times(RunningIngress ingress, String prefix) {
        Map<String, Integer> times = new HashMap<>();
        ingress.forEach(Topics.REQUESTS, record -> {
            JobRequest job = Json.read(record.value(), JobRequest.class);
            if (job.request().path().startsWith("/" + prefix + "-")) {
                times.merge(job.id(), 1, Integer::sum);
            }
        });
        List<String> told = ingress.all(Topics.ACCEPTED).stream()
                .map(record -> record.key())
                .toList();
        times.keySet().retainAll(new java.util.HashSet<>(told));
        return times;
    }
}
