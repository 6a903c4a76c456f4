package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Permit;
import dev.weir.standalone.TestPorts;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/** {@code weir standalone} in a process of its own, on a data directory that outlives it. */
final class WeirProcess implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(90);

    private final Path dir;
    private final Path config;
    private final int port = TestPorts.next();
    private final int kafkaPort = TestPorts.next();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final Map<String, String> environment = new HashMap<>();
    private @Nullable Process process;
    private int starts;

    WeirProcess(Path dir, String yaml) throws IOException {
        this.dir = dir;
        this.config = dir.resolve("weir.yaml");
        configure(yaml);
    }

    /** For the next start. */
    void configure(String yaml) throws IOException {
        Files.writeString(config, yaml);
    }

    /** For the next start. */
    void set(String variable, String value) {
        environment.put(variable, value);
    }

    /** What the newest start has written so far. */
    String log() {
        return read(dir.resolve("weir-" + starts + ".log"));
    }

    /** Starts it, and waits until it is ready. */
    void start() throws IOException {
        Path log = dir.resolve("weir-" + ++starts + ".log");
        process = command(port)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        await().atMost(START)
                .pollInterval(Duration.ofMillis(100))
                .ignoreExceptionsInstanceOf(IOException.class)
                .untilAsserted(() -> {
                    if (!running().isAlive()) {
                        throw new IllegalStateException("it ended: " + read(log));
                    }
                    HttpResponse<String> ready = send("GET", "/readyz", null);
                    assertThat(ready.statusCode())
                            .as(() -> ready.body() + "; its log: " + read(log))
                            .isEqualTo(200);
                });
    }

    /** The command line with another port: for a second one on the same directory. */
    ProcessBuilder command(int onPort) {
        ProcessBuilder command = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx640m",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.weir.standalone.Main",
                "standalone",
                "--port",
                Integer.toString(onPort),
                "--kafka-port",
                Integer.toString(kafkaPort),
                "--data-dir",
                dir.resolve("data").toString(),
                "--config",
                config.toString());
        // Nobody has to see it coming, unless a test does.
        command.environment().put("WEIR_LEAVE", "0s");
        command.environment().putAll(environment);
        return command;
    }

    void signal(String name) throws IOException, InterruptedException {
        new ProcessBuilder("kill", "-" + name, Long.toString(running().pid()))
                .start()
                .waitFor();
    }

    void kill() throws IOException, InterruptedException {
        signal("KILL");
        running().waitFor(10, TimeUnit.SECONDS);
    }

    /** As Ctrl-C would; answers the exit status. */
    int stop() throws InterruptedException {
        running().destroy();
        assertThat(running().waitFor(30, TimeUnit.SECONDS))
                .as("it ends within seconds")
                .isTrue();
        return running().exitValue();
    }

    String bootstrapServers() {
        return "127.0.0.1:" + kafkaPort;
    }

    /** Bytes of the heap that are in use after a collection. */
    long liveBytes() throws IOException, InterruptedException {
        Process jcmd = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(running().pid()),
                        "GC.class_histogram")
                .redirectErrorStream(true)
                .start();
        String histogram = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        jcmd.waitFor();
        String[] total =
                histogram.substring(histogram.lastIndexOf("Total")).strip().split("\\s+");
        return Long.parseLong(total[2]);
    }

    String url() {
        return "http://127.0.0.1:" + port;
    }

    int port() {
        return port;
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String body) throws IOException, InterruptedException {
        return send(Submissions.submission(url(), body));
    }

    /** A request without a body, unless there is one. */
    HttpResponse<String> send(String method, String path, @Nullable String body)
            throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url() + path));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        return send(request.method(
                method,
                body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body)));
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return Json.MAPPER.readTree(
                send(HttpRequest.newBuilder(URI.create(url() + path))).body());
    }

    /** Submits so many jobs, many at once; answers their ids. Each must be a 202. */
    List<String> submit(String upstream, int jobs) throws InterruptedException {
        return Submissions.submit(http, url(), upstream, jobs);
    }

    /** Every permit in {@code weir.dispatch} that was committed, of the one upstream that there is, by number. */
    Map<Long, Permit> permits() {
        return permits(upstream -> true);
    }

    /** The same, of some upstreams. */
    Map<Long, Permit> permits(Predicate<String> ofUpstream) {
        Map<String, Object> settings = new HashMap<>();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:" + kafkaPort);
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        Map<Long, Permit> permits = new HashMap<>();
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(Topics.DISPATCH).stream()
                    .map(p -> new TopicPartition(p.topic(), p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    Permit permit = Json.read(record.value(), Permit.class);
                    if (!ofUpstream.test(permit.upstream())) {
                        continue;
                    }
                    Permit before = permits.put(permit.permit(), permit);
                    assertThat(before)
                            .as("permit %s was given once", permit.permit())
                            .isNull();
                }
            }
        }
        return permits;
    }

    @Override
    public void close() {
        if (process != null && process.isAlive()) {
            process.destroy();
            try {
                process.onExit().get(30, TimeUnit.SECONDS);
            } catch (TimeoutException | ExecutionException e) {
                process.destroyForcibly().onExit().join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private Process running() {
        if (process == null) {
            throw new IllegalStateException("it was never started");
        }
        return process;
    }

    private static String read(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return log + " cannot be read: " + e.getMessage();
        }
    }
}
