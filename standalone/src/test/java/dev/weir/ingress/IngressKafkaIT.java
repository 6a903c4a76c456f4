package dev.weir.ingress;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.UpstreamRecord;
import dev.weir.standalone.EmbeddedKafka;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** What the ingress takes, over real HTTP and a real broker. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class IngressKafkaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final HttpClient client = HttpClient.newHttpClient();

    @SuppressWarnings("NullAway.Init")
    private EmbeddedKafka kafka;

    @SuppressWarnings("NullAway.Init")
    private RunningIngress ingress;

    @BeforeAll
    void start(@TempDir Path dir) throws Exception {
        kafka = new EmbeddedKafka(dir.resolve("kafka"), 0);
        ingress = new RunningIngress(kafka.bootstrapServers(), dir, "plain", "slow", "controlled");
        publishForecast("slow", Instant.now().plusSeconds(3600));
        await().atMost(PATIENCE).until(() -> ingress.forecasts.of("slow") != null);
    }

    @AfterAll
    void stop() throws Exception {
        ingress.close();
        kafka.close();
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
        assertThat(submissions())
                .filteredOn(record ->
                        Json.read(record.value(), JobRequest.class).id().equals(id))
                .singleElement()
                .satisfies(record -> {
                    JobRequest request = Json.read(record.value(), JobRequest.class);
                    assertThat(record.key()).isEqualTo("plain");
                    assertThat(request.tenant()).isEqualTo("local");
                    assertThat(request.request().body()).isEqualTo("{\"n\":1.10}");
                });
        assertThat(ingress.all(Topics.ACCEPTED))
                .filteredOn(record -> id.equals(record.key()))
                .singleElement()
                .satisfies(record -> assertThat(
                                Json.read(record.value(), Accepted.class).acceptedAt())
                        .isEqualTo(body.get("acceptedAt").asText()));
        assertThat(ingress.metrics.scrape()).contains("weir_jobs_accepted_total{upstream=\"plain\"}");
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
        assertThat(submissions())
                .filteredOn(
                        r -> ids.contains(Json.read(r.value(), JobRequest.class).id()))
                .hasSize(1);
    }

    /** So long as a client may have to wait: {@link JobWriter#ACCEPTED_PATIENCE}. */
    @Test
    @Tag("long")
    void shouldBeOneJob_whenItComesAgainAfterKafkaTookHalfOfIt() throws Exception {
        String body = job("plain", "\"body\":\"half\"");
        largestAcceptedRecord(1);
        HttpResponse<String> half;
        try {
            half = post(body, "half");
        } finally {
            largestAcceptedRecord(Topics.MAX_MESSAGE_BYTES);
        }

        HttpResponse<String> again = post(body, "half");

        assertThat(half.statusCode()).as(half.body()).isEqualTo(503);
        assertThat(half.headers().firstValue("Retry-After")).isPresent();
        assertThat(again.statusCode()).as(again.body()).isEqualTo(202);
        String id = Json.MAPPER.readTree(again.body()).get("id").asText();
        assertThat(half.body()).contains("/v1/jobs/" + id);
        assertThat(submissions().stream().map(record -> Json.read(record.value(), JobRequest.class)))
                .filteredOn(request -> request.id().equals(id))
                .as("the throttle passes over those that come again")
                .hasSize(2)
                .extracting(JobRequest::bodyHash)
                .containsOnly(hash(id));
        assertThat(ingress.all(Topics.ACCEPTED))
                .filteredOn(record -> id.equals(record.key()))
                .hasSize(1);
    }

    private String hash(String id) {
        return ingress.all(Topics.ACCEPTED).stream()
                .filter(record -> id.equals(record.key()))
                .map(record -> Json.read(record.value(), Accepted.class).bodyHash())
                .findFirst()
                .orElseThrow();
    }

    private void largestAcceptedRecord(int bytes) throws Exception {
        try (Admin admin = Admin.create(ingress.settings.common())) {
            ConfigEntry entry = new ConfigEntry(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(bytes));
            admin.incrementalAlterConfigs(Map.of(
                            new ConfigResource(ConfigResource.Type.TOPIC, Topics.ACCEPTED),
                            List.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET))))
                    .all()
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldRepeatOrRefuse_whenTheKeyIsOfAKnownJob() throws Exception {
        Instant before = Instant.parse("2026-01-01T00:00:00Z");
        String id = JobIds.ofKey("local", "old").toString();
        ingress.known.put(id, new KnownJob(id, "local", "another", "plain", before, JobStatus.SUCCEEDED, null));

        HttpResponse<String> other = post(job("plain", "\"body\":1"), "old");

        assertThat(other.statusCode()).isEqualTo(422);
        assertThat(other.body()).contains("Idempotency-Key");
        String again = job("plain", "\"body\":7");
        String hash = hashOf(again);
        ingress.known.put(id, new KnownJob(id, "local", hash, "plain", before, JobStatus.SUCCEEDED, null));
        HttpResponse<String> same = post(again, "old");
        assertThat(same.statusCode()).as(same.body()).isEqualTo(202);
        assertThat(Json.MAPPER.readTree(same.body()).get("id").asText()).isEqualTo(id);
        assertThat(Json.MAPPER.readTree(same.body()).get("acceptedAt").asText()).isEqualTo(before.toString());
        assertThat(submissions())
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

    @Test
    void shouldAnswer200WithTheFinishedJob_whenItEndsWhileTheClientWaits() throws Exception {
        CompletableFuture<HttpResponse<String>> sent =
                client.sendAsync(preferring("wait=20", "waited for"), HttpResponse.BodyHandlers.ofString());
        String id = JobIds.ofKey("local", "waited for").toString();
        await().atMost(PATIENCE).until(() -> ingress.ends.containsKey(id));
        assertThat(sent).isNotDone();
        byte[] job = ("{\"id\":\"" + id + "\",\"result\":\"" + "x".repeat(3_000_000) + "\"}").getBytes(UTF_8);
        ingress.ends.get(id).complete(job);

        HttpResponse<String> answer = sent.get();
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo(new String(job, UTF_8));
        assertThat(answer.headers().firstValue("Preference-Applied")).hasValue("wait=20");
        assertThat(answer.headers().firstValue("Location")).hasValue("/v1/jobs/" + id);
    }

    @Test
    void shouldAnswer202_whenTheJobDoesNotEndInTime_orNobodyWaits() throws Exception {
        HttpResponse<String> waited =
                client.send(preferring("respond-async, wait=1", null), HttpResponse.BodyHandlers.ofString());
        HttpResponse<String> atOnce =
                client.send(preferring("respond-async", null), HttpResponse.BodyHandlers.ofString());
        HttpResponse<String> refused = client.send(
                HttpRequest.newBuilder(ingress.uri("/v1/jobs"))
                        .header("Prefer", "wait=20")
                        .POST(HttpRequest.BodyPublishers.ofString("{}"))
                        .build(),
                HttpResponse.BodyHandlers.ofString());

        assertThat(waited.statusCode()).isEqualTo(202);
        assertThat(waited.headers().firstValue("Retry-After")).hasValue("1");
        assertThat(waited.headers().firstValue("Preference-Applied")).hasValue("respond-async, wait=1");
        assertThat(atOnce.statusCode()).isEqualTo(202);
        assertThat(atOnce.headers().firstValue("Preference-Applied")).hasValue("respond-async");
        assertThat(refused.statusCode()).isEqualTo(422);
        assertThat(refused.headers().firstValue("Preference-Applied")).isEmpty();
    }

    private HttpRequest preferring(String preference, @Nullable String key) {
        return HttpRequest.newBuilder(request(job("plain", "\"body\":1"), key), (name, value) -> true)
                .header("Prefer", preference)
                .build();
    }

    @Test
    void shouldPromiseEachOfABurstItsOwnTime() throws Exception {
        List<Instant> etas = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            JsonNode answer = Json.MAPPER.readTree(post(with(job("slow", "\"body\":1"), ",\"priority\":\"low\""), null)
                    .body());
            etas.add(Instant.parse(answer.path("eta").asText()));
        }

        for (int i = 1; i < etas.size(); i++) {
            assertThat(Duration.between(etas.get(i - 1), etas.get(i)).toMillis())
                    .isBetween(66L, 67L);
        }
    }

    @Test
    void shouldWriteACancellationBehindItsJob_andWaitForTheDecision() throws Exception {
        String id = UUID.randomUUID().toString();
        ingress.known.put(id, job(id, JobStatus.QUEUED, null));

        CompletableFuture<HttpResponse<String>> sent = control("DELETE", "/v1/jobs/" + id, "");
        CompletableFuture<HttpResponse<String>> again = control("DELETE", "/v1/jobs/" + id, "");
        await().atMost(PATIENCE).until(() -> !cancellations(id).isEmpty());
        CancelRequest request = cancellations(id).get(0);
        ingress.known.put(id, job(id, JobStatus.DISPATCHED, "of another"));
        assertThat(sent).isNotDone();
        ingress.known.put(id, job(id, JobStatus.RETRYING, request.id()));

        for (HttpResponse<String> tooLate : List.of(sent.get(), again.get())) {
            assertThat(tooLate.statusCode()).as(tooLate.body()).isEqualTo(409);
            assertThat(Json.MAPPER.readTree(tooLate.body()).path("jobStatus").asText())
                    .isEqualTo("retrying");
        }
        assertThat(request.tenant()).isEqualTo("local");
        assertThat(request.upstream()).isEqualTo("plain");
        assertThat(cancellations(id)).hasSize(1);

        CompletableFuture<HttpResponse<String>> third = control("DELETE", "/v1/jobs/" + id, "");
        await().atMost(PATIENCE).until(() -> cancellations(id).size() == 2);
        ingress.known.put(
                id, job(id, JobStatus.CANCELLED, cancellations(id).get(1).id()));
        assertThat(third.get().statusCode()).isEqualTo(200);
    }

    @Test
    void shouldAnswer202_whenNothingIsDecidedOrTakenUpInTime() throws Exception {
        String id = UUID.randomUUID().toString();
        ingress.known.put(id, job(id, JobStatus.ACCEPTED, null));

        CompletableFuture<HttpResponse<String>> cancelled = control("DELETE", "/v1/jobs/" + id, "");
        CompletableFuture<HttpResponse<String>> patched = control("PATCH", "/v1/upstreams/slow", "{\"burst\":1}");

        assertThat(cancelled.get().statusCode()).isEqualTo(202);
        assertThat(cancelled.get().headers().firstValue("Location")).hasValue("/v1/jobs/" + id);
        assertThat(cancelled.get().headers().firstValue("Retry-After")).hasValue("1");
        assertThat(cancelled.get().body())
                .isEqualTo("{\"id\":\"" + id + "\",\"status\":\"accepted\",\"upstream\":\"plain\"}");
        assertThat(patched.get().statusCode()).isEqualTo(202);
        assertThat(Json.MAPPER
                        .readTree(patched.get().body())
                        .at("/settings/burst")
                        .asInt(-1))
                .isEqualTo(1);
    }

    @Test
    void shouldWriteTheNextRevision_andAnswerWhenItIsTakenUp() throws Exception {
        CompletableFuture<HttpResponse<String>> paused = control("POST", "/v1/upstreams/controlled/pause", "");
        await().atMost(PATIENCE).until(() -> !records("controlled").isEmpty());
        UpstreamRecord first = records("controlled").get(0);
        publishForecast("controlled", Instant.now(), first.revision());
        CompletableFuture<HttpResponse<String>> changed =
                control("PATCH", "/v1/upstreams/controlled", "{\"burst\":7,\"assumeUnused\":true}");
        await().atMost(PATIENCE).until(() -> records("controlled").size() == 2);
        UpstreamRecord second = records("controlled").get(1);
        publishForecast("controlled", Instant.now(), second.revision());

        assertThat(paused.get().statusCode()).as(paused.get().body()).isEqualTo(200);
        assertThat(changed.get().statusCode()).as(changed.get().body()).isEqualTo(200);
        assertThat(first.revision()).isEqualTo(1);
        assertThat(first.paused()).isTrue();
        assertThat(second.revision()).isEqualTo(2);
        assertThat(second.paused()).isTrue();
        assertThat(second.assumeUnused()).isTrue();
        assertThat(second.settings().burst()).isEqualTo(7);
        assertThat(second.seed())
                .isEqualTo(RunningIngress.upstream("controlled").settings());
    }

    private CompletableFuture<HttpResponse<String>> control(String method, String path, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(ingress.uri(path))
                .version(HttpClient.Version.HTTP_1_1)
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private List<ConsumerRecord<String, byte[]>> submissions() {
        return ingress.all(Topics.REQUESTS).stream()
                .filter(record -> record.headers().lastHeader(CancelRequest.TYPE_HEADER) == null)
                .toList();
    }

    private List<CancelRequest> cancellations(String job) {
        return ingress.all(Topics.REQUESTS).stream()
                .filter(record ->
                        record.key().equals("plain") && record.headers().lastHeader(CancelRequest.TYPE_HEADER) != null)
                .map(record -> Json.read(record.value(), CancelRequest.class))
                .filter(request -> request.jobId().equals(job))
                .toList();
    }

    private List<UpstreamRecord> records(String upstream) {
        return ingress.all(Topics.UPSTREAMS).stream()
                .filter(record -> record.key().equals(upstream))
                .map(record -> Json.read(record.value(), UpstreamRecord.class))
                .toList();
    }

    private static KnownJob job(String id, JobStatus status, @Nullable String cancel) {
        return new KnownJob(id, "local", "hash", "plain", Instant.EPOCH, status, cancel);
    }

    private String hashOf(String json) {
        Parsed parsed = new JobParser(ingress.upstreams).parse(json.getBytes(UTF_8), Instant.now());
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
        HttpRequest.Builder builder = HttpRequest.newBuilder(ingress.uri("/v1/jobs"))
                .version(HttpClient.Version.HTTP_1_1)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (key != null) {
            builder.header("Idempotency-Key", key);
        }
        return builder.build();
    }

    private void publishForecast(String upstream, Instant next) throws Exception {
        publishForecast(upstream, next, 0);
    }

    private void publishForecast(String upstream, Instant next, long revision) throws Exception {
        Forecast forecast = new Forecast(
                Forecast.VERSION,
                upstream,
                Instant.now(),
                "running",
                "PT1H",
                "closed",
                false,
                revision,
                Weights.DEFAULT,
                List.of(),
                new Forecast.Queue(0, 0, 0, 0, 0, null, null),
                0,
                List.of(),
                List.of(new Forecast.BreakPoint(0, next, 66_666_667)),
                null,
                null);
        try (KafkaProducer<String, byte[]> producer =
                new KafkaProducer<>(ingress.settings.producer(), new StringSerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>(Topics.FORECASTS, upstream, Json.bytes(forecast)))
                    .get();
        }
    }
}
