package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.standalone.EmbeddedKafka;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What the ingress takes, over real HTTP and a real broker. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class IngressKafkaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Map<String, KnownJob> known = new ConcurrentHashMap<>();
    private final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final HttpClient client = HttpClient.newHttpClient();
    private final List<AutoCloseable> parts = new ArrayList<>();
    private KafkaSettings settings = new KafkaSettings("", "it", Path.of(""), (short) 1, KafkaSettings.SESSION_TIMEOUT);
    private Upstreams upstreams = new Upstreams(new WeirConfig(Map.of(), 1), settings);
    private CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(settings);
    private int port;

    @BeforeAll
    void start(@TempDir Path dir) throws Exception {
        EmbeddedKafka kafka = new EmbeddedKafka(dir.resolve("kafka"), 0);
        parts.add(kafka);
        settings = new KafkaSettings(kafka.bootstrapServers(), "it", dir, (short) 1, KafkaSettings.SESSION_TIMEOUT);
        try (Admin admin = Admin.create(settings.common())) {
            Topics.ensure(admin, (short) 1);
        }
        WeirConfig config = new WeirConfig(Map.of("plain", upstream("plain"), "slow", upstream("slow")), 1024 * 1024);
        upstreams = new Upstreams(config, settings);
        parts.add(upstreams);
        upstreams.start();
        forecasts = CompactedTopic.forecasts(settings);
        parts.add(forecasts);
        forecasts.start();
        Ingress ingress = new Ingress(
                config,
                settings,
                upstreams,
                forecasts,
                id -> CompletableFuture.<@Nullable KnownJob>completedFuture(known.get(id)),
                metrics,
                InstantSource.system());
        parts.add(ingress);
        HttpServer server = new HttpServer(
                "127.0.0.1", 0, 1024 * 1024, List.of(ingress::routes), Map.of("ingress", ingress::notReady), metrics);
        parts.add(server);
        port = server.port();
        await().atMost(PATIENCE).until(() -> ingress.notReady() == null);
        publishForecast("slow", Instant.now().plusSeconds(3600));
        await().atMost(PATIENCE).until(() -> forecasts.of("slow") != null);
    }

    @AfterAll
    void stop() throws Exception {
        for (int i = parts.size() - 1; i >= 0; i--) {
            parts.get(i).close();
        }
    }

    @Test
    void shouldAnswer202_whenBothRecordsAreInKafka() throws Exception {
        HttpResponse<String> response = post(job("plain", "\"body\":{\"n\":1.10}"), null);

        JsonNode body = Json.MAPPER.readTree(response.body());
        String id = body.get("id").asText();
        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
        assertThat(response.headers().firstValue("Location")).hasValue("/v1/jobs/" + id);
        assertThat(response.headers().firstValue("Retry-After")).hasValue("1");
        assertThat(body.get("status").asText()).isEqualTo("accepted");
        assertThat(body.get("upstream").asText()).isEqualTo("plain");
        assertThat(body.get("eta").isNull()).isTrue();
        assertThat(all(Topics.REQUESTS))
                .filteredOn(record ->
                        Json.read(record.value(), JobRequest.class).id().equals(id))
                .singleElement()
                .satisfies(record -> {
                    JobRequest request = Json.read(record.value(), JobRequest.class);
                    assertThat(record.key()).isEqualTo("plain");
                    assertThat(request.tenant()).isEqualTo("local");
                    assertThat(request.request().body()).isEqualTo("{\"n\":1.10}");
                });
        assertThat(all(Topics.ACCEPTED))
                .filteredOn(record -> id.equals(record.key()))
                .singleElement()
                .satisfies(record -> assertThat(
                                Json.read(record.value(), Accepted.class).acceptedAt())
                        .isEqualTo(body.get("acceptedAt").asText()));
        assertThat(metrics.scrape()).contains("weir_jobs_accepted_total{upstream=\"plain\"}");
    }

    @Test
    void shouldMakeOneJob_whenTheSameKeyComesTwentyTimesAtOnce() throws Exception {
        List<CompletableFuture<HttpResponse<String>>> sent = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            sent.add(client.sendAsync(
                    request(job("plain", "\"body\":1"), i % 2 == 0 ? "same" : "\"same\""),
                    HttpResponse.BodyHandlers.ofString()));
        }
        Set<String> ids = new HashSet<>();
        for (CompletableFuture<HttpResponse<String>> each : sent) {
            assertThat(each.get().statusCode()).isEqualTo(202);
            ids.add(Json.MAPPER.readTree(each.get().body()).get("id").asText());
        }

        HttpResponse<String> other = post(job("plain", "\"body\":2"), "same");

        assertThat(ids).hasSize(1);
        assertThat(other.statusCode()).isEqualTo(422);
        assertThat(all(Topics.REQUESTS))
                .filteredOn(
                        r -> ids.contains(Json.read(r.value(), JobRequest.class).id()))
                .hasSize(1);
    }

    @Test
    void shouldRepeatOrRefuse_whenTheKeyIsOfAKnownJob() throws Exception {
        Instant before = Instant.parse("2026-01-01T00:00:00Z");
        String id = JobIds.ofKey("local", "old").toString();
        known.put(id, new KnownJob(id, "local", "another", "plain", before, JobStatus.SUCCEEDED, null));

        HttpResponse<String> other = post(job("plain", "\"body\":1"), "old");

        assertThat(other.statusCode()).isEqualTo(422);
        assertThat(other.body()).contains("Idempotency-Key");
        String again = job("plain", "\"body\":7");
        String hash = hashOf(again);
        known.put(id, new KnownJob(id, "local", hash, "plain", before, JobStatus.SUCCEEDED, null));
        HttpResponse<String> same = post(again, "old");
        assertThat(same.statusCode()).as(same.body()).isEqualTo(202);
        assertThat(Json.MAPPER.readTree(same.body()).get("id").asText()).isEqualTo(id);
        assertThat(Json.MAPPER.readTree(same.body()).get("acceptedAt").asText()).isEqualTo(before.toString());
        assertThat(all(Topics.REQUESTS))
                .noneMatch(r -> Json.read(r.value(), JobRequest.class).id().equals(id));
    }

    @Test
    void shouldRefuseALateDeadlineWithTheEta_unlessLateIsAccepted() throws Exception {
        String deadline = ",\"deadline\":\"" + Instant.now().plusSeconds(60) + "\"";

        HttpResponse<String> refused = post(with(job("slow", "\"body\":1"), deadline), null);
        HttpResponse<String> taken = post(with(job("slow", "\"body\":1"), deadline + ",\"onLate\":\"accept\""), null);

        JsonNode problem = Json.MAPPER.readTree(refused.body());
        assertThat(refused.statusCode()).isEqualTo(422);
        assertThat(Instant.parse(problem.get("eta").asText()))
                .isAfter(Instant.now().plusSeconds(3000));
        assertThat(problem.at("/errors/0/pointer").asText()).isEqualTo("/deadline");
        assertThat(taken.statusCode()).as(taken.body()).isEqualTo(202);
        assertThat(Long.parseLong(taken.headers().firstValue("Retry-After").orElse("0")))
                .isBetween(3000L, 3601L);
    }

    private String hashOf(String json) {
        Parsed parsed =
                new JobParser(upstreams).parse(json.getBytes(java.nio.charset.StandardCharsets.UTF_8), Instant.now());
        return ((Parsed.Sound) parsed).draft().hash();
    }

    private static String job(String upstream, String body) {
        return "{\"upstream\":\"" + upstream + "\",\"request\":{\"path\":\"/x\"," + body + "}}";
    }

    private static String with(String job, String more) {
        return job.substring(0, job.length() - 1) + more + "}";
    }

    private HttpResponse<String> post(String body, @Nullable String key) throws Exception {
        return client.send(request(body, key), HttpResponse.BodyHandlers.ofString());
    }

    private HttpRequest request(String body, @Nullable String key) {
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/v1/jobs"))
                .version(HttpClient.Version.HTTP_1_1)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (key != null) {
            builder.header("Idempotency-Key", key);
        }
        return builder.build();
    }

    private List<ConsumerRecord<String, byte[]>> all(String topic) {
        List<ConsumerRecord<String, byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings.common(), new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
        }
        return records;
    }

    private void publishForecast(String upstream, Instant next) throws Exception {
        Forecast forecast = new Forecast(
                Forecast.VERSION,
                upstream,
                Instant.now(),
                "running",
                "PT1H",
                "closed",
                false,
                0,
                Weights.DEFAULT,
                List.of(),
                new Forecast.Queue(0, 0, 0, 0, null, null),
                List.of(),
                List.of(new Forecast.BreakPoint(0, next, 66_666_667)));
        try (KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(settings.producer(), new StringSerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(Topics.FORECASTS, upstream, Json.bytes(forecast)))
                    .get();
        }
    }

    private static UpstreamConfig upstream(String name) {
        return new UpstreamConfig(
                name,
                URI.create("http://127.0.0.1:9"),
                UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1))),
                null);
    }
}
