package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.standalone.KafkaAtPort;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs of 1 KB over 64 connections that stay open: what was answered 202 is in the topics, once for each key, though the
 * broker is killed in the middle. {@code -Dweir.jobs=100000} for a longer run.
 */
class IntakeIT {
    private static final int JOBS = Integer.getInteger("weir.jobs", 2_000);
    private static final int CONNECTIONS = 64;
    /** Each so many-th key comes twice at once. */
    private static final int TWICE = 10;

    private static final String TEXT = "x".repeat(960);
    /** For all of them; of a client that is answered 503, from the first time it sends a job to the last. */
    private static final Duration PATIENCE = Duration.ofMinutes(5);
    /** What a client waits after a 503; Retry-After says longer. */
    private static final Duration PAUSE = Duration.ofMillis(250);

    /** The id of each key that was answered 202. */
    private final Map<String, String> accepted = new ConcurrentHashMap<>();

    private final Map<Integer, AtomicInteger> statuses = new ConcurrentHashMap<>();
    private final AtomicInteger withoutRetryAfter = new AtomicInteger();
    private final AtomicInteger otherIds = new AtomicInteger();
    private final CountDownLatch third = new CountDownLatch(JOBS / 3);

    @SuppressWarnings("NullAway.Init")
    private KafkaAtPort kafka;

    @SuppressWarnings("NullAway.Init")
    private RunningIngress ingress;

    @BeforeEach
    void start(@TempDir Path dir) throws Exception {
        kafka = new KafkaAtPort(dir.resolve("kafka"));
        ingress = new RunningIngress(kafka.bootstrapServers(), dir, "plain");
    }

    @AfterEach
    void stop() {
        ingress.close();
        kafka.close();
    }

    @Test
    void shouldHaveEveryJobInTheTopics_onceForEachKey() throws Exception {
        submitAll();

        assertThat(statuses).containsOnlyKeys(202);
        assertThat(otherIds).as("keys with two ids").hasValue(0);
        Map<String, Integer> times = times();
        assertThat(accepted).hasSize(JOBS);
        assertThat(times.keySet().equals(new HashSet<>(accepted.values())))
                .as("the ids in the topics are those that were answered")
                .isTrue();
        assertThat(times.values()).as("records of each key's job").containsOnly(1);
    }

    /** The broker stays away until a job was answered 503. */
    @Test
    @Tag("long")
    void shouldHaveEvery202InTheTopics_andAnswer503ToTheOthers_whenTheBrokerIsKilled() throws Exception {
        Thread killer = new Thread(this::killAndStart, "killer");
        killer.start();

        submitAll();

        killer.join(PATIENCE.toMillis());
        assertThat(statuses).containsOnlyKeys(202, 503);
        assertThat(withoutRetryAfter).as("503 without Retry-After").hasValue(0);
        assertThat(otherIds).as("keys with two ids").hasValue(0);
        assertThat(accepted).as("keys taken in the end").hasSize(JOBS);
        // One that was answered 503 may stand there twice, and is one job to the throttle.
        assertThat(times().keySet().equals(new HashSet<>(accepted.values())))
                .as("the ids in the topics are those that were answered")
                .isTrue();
    }

    private void killAndStart() {
        try {
            if (third.await(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                kafka.kill();
                await().atMost(PATIENCE).until(() -> statuses.containsKey(503));
                kafka.start();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Every job until it is taken. */
    private void submitAll() throws Exception {
        long startedNs = System.nanoTime();
        AtomicInteger next = new AtomicInteger();
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < CONNECTIONS; i++) {
            Thread sender = new Thread(() -> send(next, startedNs), "sender");
            sender.start();
            senders.add(sender);
        }
        for (Thread sender : senders) {
            sender.join(PATIENCE.toMillis());
        }
        double seconds = (System.nanoTime() - startedNs) / 1e9;
        System.out.printf(
                "%d jobs in %.1f s, %.0f a second; answers by status %s%n", JOBS, seconds, JOBS / seconds, statuses);
    }

    private void send(AtomicInteger next, long startedNs) {
        // With those that come twice; the two of a key follow each other, so two connections have them at once.
        int all = JOBS + JOBS / TWICE;
        try (KeptConnection connection = new KeptConnection(ingress.port())) {
            for (int i = next.getAndIncrement(); i < all; i = next.getAndIncrement()) {
                int number = i / (TWICE + 1) * TWICE + Math.max(0, i % (TWICE + 1) - 1);
                String key = "key-" + number;
                while (!taken(connection.post("/v1/jobs", key, job(number)), key)
                        && System.nanoTime() - startedNs < PATIENCE.toNanos()) {
                    LockSupport.parkNanos(PAUSE.toNanos());
                }
                third.countDown();
            }
        } catch (IOException e) {
            statuses.computeIfAbsent(0, s -> new AtomicInteger()).incrementAndGet();
            System.out.println("a connection broke: " + e);
        }
    }

    private boolean taken(KeptConnection.Answer answer, String key) throws IOException {
        statuses.computeIfAbsent(answer.status(), s -> new AtomicInteger()).incrementAndGet();
        if (answer.status() == 503 && !answer.headers().containsKey("retry-after")) {
            withoutRetryAfter.incrementAndGet();
        }
        if (answer.status() == 202) {
            String id = Json.MAPPER.readTree(answer.body()).path("id").asText();
            String before = accepted.put(key, id);
            if (before != null && !before.equals(id)) {
                otherIds.incrementAndGet();
            }
        }
        return answer.status() != 503;
    }

    private static String job(int number) {
        return "{\"upstream\":\"plain\",\"request\":{\"path\":\"/v1/x\",\"body\":{\"n\":" + number + ",\"text\":\""
                + TEXT + "\"}}}";
    }

    /** How often each job stands in weir.requests, of those that stand in weir.accepted too. */
    private Map<String, Integer> times() {
        Map<String, Integer> times = new HashMap<>();
        ingress.forEach(
                Topics.REQUESTS,
                record ->
                        times.merge(Json.read(record.value(), JobRequest.class).id(), 1, Integer::sum));
        Set<String> told = new HashSet<>();
        ingress.forEach(Topics.ACCEPTED, record -> told.add(record.key()));
        times.keySet().retainAll(told);
        return times;
    }
}
