package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.ConfigLoader;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.standalone.EmbeddedKafka;
import dev.weir.standalone.EmbeddedPostgresServer;
import dev.weir.standalone.Lifecycle;
import dev.weir.standalone.Role;
import dev.weir.standalone.Roles;
import dev.weir.standalone.TestPorts;
import dev.weir.standalone.fake.FakeUpstream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two status instances behind a balancer, everything else in a third process's place, on one broker. Short in a build;
 * {@code -Dweir.posts=10000} runs it as long as one likes.
 */
class TwoStatusInstancesIT {
    private static final int POSTS = Integer.getInteger("weir.posts", 400);
    /** Longer than it takes until nobody shows older states. */
    private static final int POSTS_WITH_THE_KILL = 2_000;

    private static final int AT_ONCE = 8;
    private static final List<String> ORDER = List.of("accepted", "queued", "dispatched", "succeeded");

    @TempDir
    Path dir;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final AtomicInteger turn = new AtomicInteger();
    private final AtomicLong refused = new AtomicLong();
    private final AtomicLong unavailable = new AtomicLong();
    private final AtomicLong marked = new AtomicLong();
    private final AtomicLong answers = new AtomicLong();
    private final Map<String, JsonNode> newest = new ConcurrentHashMap<>();
    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private List<Integer> instances = List.of();

    @Test
    void shouldNeverForgetNorStepBack_whenOneOfTwoInstancesIsAskedAtRandom_andKilled() throws Exception {
        try (FakeUpstream upstream = PaceIT.upstream();
                EmbeddedKafka kafka = new EmbeddedKafka(dir.resolve("kafka"), 0);
                EmbeddedPostgresServer postgres =
                        new EmbeddedPostgresServer(dir.resolve("postgres"), 0, InstantSource.system())) {
            Path config = dir.resolve("weir.yaml");
            Files.writeString(config, """
                    upstreams:
                      counted:
                        baseUrl: http://127.0.0.1:%d
                        timeout: 5s
                        limits:
                          - { permits: 12000, per: 1m }
                    """.formatted(upstream.port()));
            int first = TestPorts.next();
            int second = TestPorts.next();
            instances = List.of(first, second);
            Process killed = status(second, config, kafka, postgres);
            try (Roles status = roles(EnumSet.of(Role.STATUS), "first", first, config, kafka, postgres);
                    Roles others = roles(
                            EnumSet.of(Role.INGRESS, Role.THROTTLER, Role.DISPATCHER),
                            "others",
                            0,
                            config,
                            kafka,
                            postgres)) {
                for (int port : List.of(first, second, others.port())) {
                    await().atMost(Duration.ofSeconds(120)).until(() -> ready(port));
                }
                await("both have a share")
                        .atMost(Duration.ofSeconds(60))
                        .until(() -> partitions(first) > 0
                                && partitions(second) > 0
                                && partitions(first) + partitions(second) == Topics.JOB_PARTITIONS);

                submitAndAsk(others.port(), POSTS);
                assertThat(wrong).isEmpty();
                assertThat(marked).hasValue(0);
                assertThat(unavailable).hasValue(0);
                System.out.printf("%d jobs, %d answers of two instances: none 404, none older%n", POSTS, answers.get());

                kill(killed, others.port());

                killed = status(second, config, kafka, postgres);
                await().atMost(Duration.ofSeconds(60)).until(() -> ready(second));
                assertEveryAnswerIsExact();
                assertThat(status.port()).isEqualTo(first);
            } finally {
                killed.destroyForcibly().waitFor();
            }
        }
    }

    /** Under load all the while, until nobody shows older states any more. */
    private void kill(Process killed, int ingress) throws Exception {
        answers.set(0);
        ExecutorService load = Executors.newSingleThreadExecutor();
        Future<?> loading = load.submit(() -> {
            submitAndAsk(ingress, Math.min(POSTS, POSTS_WITH_THE_KILL));
            return null;
        });
        await().until(() -> answers.get() > 50);
        killed.destroyForcibly().waitFor();
        instances = instances.subList(0, 1);
        long at = System.nanoTime();
        List<String> known = List.copyOf(newest.keySet());
        Duration longest = Duration.ZERO;
        int asked = 0;
        // Then all is with the one that is left: each job is told at once all the while.
        while (asked < 200 || marked() > 0) {
            long before = System.nanoTime();
            HttpResponse<String> answer = get(known.get(asked++ % known.size()));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
            Duration took = Duration.ofNanos(System.nanoTime() - before);
            longest = took.compareTo(longest) > 0 ? took : longest;
            assertThat(System.nanoTime() - at).isLessThan(TimeUnit.SECONDS.toNanos(60));
        }
        loading.get(120, TimeUnit.SECONDS);
        load.shutdown();
        System.out.printf(
                "after the kill: all newest again within %s, %d answers, %d older and marked, %d connections refused, %d times"
                        + " 503, the longest answer took %s%n",
                Duration.ofNanos(System.nanoTime() - at),
                answers.get(),
                marked.get(),
                refused.get(),
                unavailable.get(),
                longest);
        assertThat(wrong).isEmpty();
        assertThat(marked.get()).as("some were told from the copy").isPositive();
        // Jobs that came meanwhile are told, too; on a busy machine a few may not be.
        assertThat(unavailable.get()).as("answered 503").isLessThan(answers.get() / 20);
    }

    private long marked() throws Exception {
        long now = marked.get();
        for (String id : newest.keySet().stream().limit(50).toList()) {
            get(id);
        }
        return marked.get() - now;
    }

    private void assertEveryAnswerIsExact() throws Exception {
        instances = List.of(instances.get(0), instances.get(0));
        for (String id : newest.keySet()) {
            if (!succeeded(id)) {
                await().atMost(Duration.ofSeconds(60)).until(() -> succeeded(id));
            }
        }
    }

    private boolean succeeded(String id) throws Exception {
        JsonNode job = Json.MAPPER.readTree(get(id).body());
        return job.path("status").asText().equals("succeeded") && !job.has("asOf");
    }

    private void submitAndAsk(int ingress, int posts) throws Exception {
        ExecutorService workers = Executors.newFixedThreadPool(AT_ONCE);
        AtomicInteger left = new AtomicInteger(posts);
        try {
            List<Future<Object>> all = workers.invokeAll(java.util.Collections.nCopies(AT_ONCE, () -> {
                while (left.getAndDecrement() > 0) {
                    String id = submit(ingress);
                    for (int i = 0; i < 4; i++) {
                        ask(id);
                    }
                }
                return "";
            }));
            for (Future<Object> one : all) {
                one.get();
            }
        } finally {
            workers.shutdownNow();
        }
    }

    private void ask(String id) throws Exception {
        HttpResponse<String> answer = get(id);
        answers.incrementAndGet();
        if (answer.statusCode() == 503) {
            unavailable.incrementAndGet();
        } else if (answer.statusCode() != 200) {
            wrong.add(answer.statusCode() + " " + answer.body());
        } else {
            JsonNode job = Json.MAPPER.readTree(answer.body());
            if (job.has("asOf")) {
                assertThat(answer.headers().firstValueAsLong("Age")).isPresent();
                marked.incrementAndGet();
            } else {
                JsonNode before = newest.put(id, job);
                if (before != null && stepsBack(before, job)) {
                    wrong.add(before + " then " + job);
                }
            }
        }
    }

    private static boolean stepsBack(JsonNode before, JsonNode after) {
        return Instant.parse(after.path("updatedAt").asText())
                        .isBefore(Instant.parse(before.path("updatedAt").asText()))
                || ORDER.indexOf(after.path("status").asText())
                        < ORDER.indexOf(before.path("status").asText());
    }

    private String submit(int ingress) throws Exception {
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + ingress + "/v1/jobs"))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(
                                "{\"upstream\":\"counted\",\"request\":{\"path\":\"/x\"}}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        return Json.MAPPER.readTree(answer.body()).path("id").asText();
    }

    /** As a balancer does: in turn, and on to the next one when a connection is refused. */
    private HttpResponse<String> get(String id) throws Exception {
        for (int tries = 0; ; tries++) {
            List<Integer> now = instances;
            int port = now.get(Math.floorMod(turn.getAndIncrement(), now.size()));
            try {
                return get(port, "/v1/jobs/" + id);
            } catch (IOException e) {
                refused.incrementAndGet();
                if (tries == 3) {
                    throw e;
                }
            }
        }
    }

    private HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                        .timeout(Duration.ofSeconds(30))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private boolean ready(int port) throws InterruptedException {
        try {
            return get(port, "/readyz").statusCode() == 200;
        } catch (IOException e) {
            return false;
        }
    }

    private int partitions(int port) throws Exception {
        return get(port, "/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith("weir_status_partitions{state=\"active\""))
                .mapToInt(line -> (int) Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .sum();
    }

    private Roles roles(
            EnumSet<Role> roles,
            String name,
            int port,
            Path config,
            EmbeddedKafka kafka,
            EmbeddedPostgresServer postgres)
            throws Exception {
        KafkaSettings settings = new KafkaSettings(
                kafka.bootstrapServers(), name, dir.resolve("state-" + name), (short) 1, KafkaSettings.SESSION_TIMEOUT);
        return new Roles(
                roles,
                new Roles.Surroundings(
                        ConfigLoader.load(config, Map.of()),
                        settings,
                        postgres.url(),
                        URI.create("http://127.0.0.1:" + instances.get(0)),
                        "127.0.0.1",
                        port,
                        "127.0.0.1:" + port,
                        Duration.ZERO,
                        Duration.ZERO),
                new Lifecycle());
    }

    private Process status(int port, Path config, EmbeddedKafka kafka, EmbeddedPostgresServer postgres)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.weir.standalone.Main",
                "status");
        builder.environment().put("WEIR_PORT", Integer.toString(port));
        builder.environment().put("WEIR_CONFIG", config.toString());
        builder.environment().put("WEIR_BOOTSTRAP_SERVERS", kafka.bootstrapServers());
        builder.environment().put("WEIR_DATABASE_URL", postgres.url());
        builder.environment().put("WEIR_REPLICATION", "1");
        builder.environment().put("WEIR_INSTANCE", "second");
        builder.environment().put("WEIR_STATE_DIR", dir.resolve("state").toString());
        return builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        dir.resolve("second.log").toFile()))
                .start();
    }
}
