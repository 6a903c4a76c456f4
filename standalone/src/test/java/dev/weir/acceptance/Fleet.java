package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.config.ConfigLoader;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.standalone.EmbeddedKafka;
import dev.weir.standalone.EmbeddedPostgresServer;
import dev.weir.standalone.Lifecycle;
import dev.weir.standalone.Role;
import dev.weir.standalone.Roles;
import dev.weir.standalone.TestPorts;
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
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Dispatchers in processes of their own, to be stopped and killed; Kafka, PostgreSQL and all other roles are in this one, and
 * an upstream that only counts.
 */
final class Fleet implements AutoCloseable {
    static final String UPSTREAM = "counted";
    private static final Duration START = Duration.ofSeconds(60);
    /** Longer than a dispatcher waits for what is open. */
    private static final Duration STOP = Duration.ofSeconds(45);

    private final Path dir;
    private final Path config;
    private final Lifecycle parts = new Lifecycle();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final CountingUpstream upstream;
    private final EmbeddedKafka kafka;
    private final EmbeddedPostgresServer postgres;
    private final Roles roles;
    private final Map<String, Dispatcher> dispatchers = new HashMap<>();

    /** One dispatcher, across its lives: each has the same name and port. */
    private static final class Dispatcher {
        final int port = TestPorts.next();
        int lives;

        @Nullable
        Process process;
    }

    /** @param latency of the upstream's answers */
    Fleet(Path dir, Duration latency) throws Exception {
        this.dir = dir;
        upstream = parts.add("upstream", new CountingUpstream(dir, latency));
        kafka = parts.add("kafka", new EmbeddedKafka(dir.resolve("kafka"), 0));
        postgres =
                parts.add("postgres", new EmbeddedPostgresServer(dir.resolve("postgres"), 0, InstantSource.system()));
        config = dir.resolve("weir.yaml");
        Files.writeString(config, """
                upstreams:
                  counted:
                    baseUrl: http://127.0.0.1:%d
                    timeout: 4s
                    retry: { delays: [1s, 1s, 1s] }
                    limits:
                      - { permits: 1000,   per: 1m }
                      - { permits: 50000,  per: 1h }
                      - { permits: 500000, per: 1d }
                """.formatted(upstream.port()));
        roles = new Roles(
                EnumSet.of(Role.INGRESS, Role.THROTTLER, Role.STATUS),
                new Roles.Surroundings(
                        ConfigLoader.load(config, Map.of()),
                        new KafkaSettings(
                                kafka.bootstrapServers(),
                                "fleet",
                                dir.resolve("state"),
                                (short) 1,
                                KafkaSettings.SESSION_TIMEOUT),
                        postgres.url(),
                        null,
                        "127.0.0.1",
                        TestPorts.next(),
                        null,
                        Duration.ZERO,
                        Duration.ZERO),
                parts);
    }

    CountingUpstream upstream() {
        return upstream;
    }

    /** Starts a dispatcher; one that had this name before lives again. */
    void launch(String name) throws IOException {
        Dispatcher dispatcher = dispatchers.computeIfAbsent(name, n -> new Dispatcher());
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.weir.standalone.Main",
                "dispatcher");
        Map<String, String> env = builder.environment();
        env.put("WEIR_PORT", Integer.toString(dispatcher.port));
        env.put("WEIR_INSTANCE", name);
        env.put("WEIR_CONFIG", config.toString());
        env.put("WEIR_BOOTSTRAP_SERVERS", kafka.bootstrapServers());
        env.put("WEIR_DATABASE_URL", postgres.url());
        env.put("WEIR_REPLICATION", "1");
        dispatcher.process = builder.redirectErrorStream(true)
                .redirectOutput(
                        dir.resolve(name + "-" + ++dispatcher.lives + ".log").toFile())
                .start();
    }

    void awaitReady(String name) {
        await().atMost(START).pollInterval(Duration.ofMillis(100)).until(() -> {
            assertThat(process(name).isAlive()).as(() -> log(name)).isTrue();
            try {
                return get(dispatchers.get(name).port, "/readyz").statusCode() == 200;
            } catch (IOException e) {
                return false;
            }
        });
    }

    void signal(String name, String signal) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + signal, Long.toString(process(name).pid()))
                .start()
                .waitFor();
    }

    /** As an orchestrator does it; answers the exit status. */
    int stop(String name) throws IOException, InterruptedException {
        signal(name, "TERM");
        assertThat(process(name).waitFor(STOP.toSeconds(), TimeUnit.SECONDS))
                .as(() -> "it ends: " + log(name))
                .isTrue();
        return process(name).exitValue();
    }

    String metrics(String name) throws IOException, InterruptedException {
        return get(dispatchers.get(name).port, "/metrics").body();
    }

    /** What the newest life of a dispatcher has written. */
    String log(String name) {
        Path log = dir.resolve(name + "-" + dispatchers.get(name).lives + ".log");
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return log + " cannot be read: " + e.getMessage();
        }
    }

    /** Submits so many jobs; answers their ids. */
    List<String> submit(int jobs) throws InterruptedException {
        return Submissions.submit(http, "http://127.0.0.1:" + roles.port(), UPSTREAM, jobs);
    }

    /** Waits until every one of these has succeeded. */
    void awaitSucceeded(List<String> jobs, Duration patience) throws Exception {
        Instant until = Instant.now().plus(patience);
        for (String job : jobs) {
            await().pollDelay(Duration.ZERO)
                    .atMost(Duration.between(Instant.now(), until.plusSeconds(1)))
                    .until(() -> Json.MAPPER
                            .readTree(get(roles.port(), "/v1/jobs/" + job).body())
                            .path("status")
                            .asText()
                            .equals("succeeded"));
        }
    }

    /** Every committed permit so far. */
    List<Permit> permits() {
        List<Permit> permits = new ArrayList<>();
        read(Topics.DISPATCH, record -> permits.add(Json.read(record.value(), Permit.class)));
        return permits;
    }

    List<Outcome> outcomes() {
        List<Outcome> outcomes = new ArrayList<>();
        read(Topics.OUTCOMES, record -> outcomes.add(Json.read(record.value(), Outcome.class)));
        return outcomes;
    }

    private void read(String topic, Consumer<ConsumerRecord<String, byte[]>> reader) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrapServers());
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(p -> new TopicPartition(p.topic(), p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(reader);
            }
        }
    }

    private HttpResponse<String> get(int port, String path) throws IOException, InterruptedException {
        return http.send(HttpRequest.newBuilder(uri(port, path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static URI uri(int port, String path) {
        return URI.create("http://127.0.0.1:" + port + path);
    }

    private Process process(String name) {
        Process process = dispatchers.get(name).process;
        if (process == null) {
            throw new IllegalStateException(name + " was never started");
        }
        return process;
    }

    @Override
    public void close() {
        for (Dispatcher dispatcher : dispatchers.values()) {
            if (dispatcher.process != null) {
                dispatcher.process.destroyForcibly().onExit().join();
            }
        }
        parts.close();
    }
}
