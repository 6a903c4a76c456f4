package dev.weir.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.db.Database;
import dev.weir.contracts.kafka.BrokerClock;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.standalone.EmbeddedKafka;
import dev.weir.standalone.TestPorts;
import io.javalin.Javalin;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
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
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DispatcherKafkaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Duration TTL = Duration.ofSeconds(3);
    private static final String UPSTREAM = "counter";

    @TempDir
    Path dir;

    private final InstantSource clock = new AnchoredClock();
    private final Queue<String> called = new ConcurrentLinkedQueue<>();
    private final CountDownLatch release = new CountDownLatch(1);
    private final Javalin server = Javalin.create(config -> {
                config.startup.showJavalinBanner = false;
                config.routes.post("/ok", ctx -> {
                    called.add(String.valueOf(ctx.header("X-Job-Id")));
                    ctx.result("done");
                });
                config.routes.post("/held", ctx -> {
                    called.add(String.valueOf(ctx.header("X-Job-Id")));
                    assertThat(release.await(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                            .isTrue();
                    ctx.result("at last");
                });
            })
            .start("127.0.0.1", 0);

    private final List<AutoCloseable> parts = new ArrayList<>();
    private @Nullable EmbeddedKafka embedded;
    private KafkaSettings kafka =
            new KafkaSettings("127.0.0.1:1", "one", Path.of("."), (short) 1, KafkaSettings.SESSION_TIMEOUT);

    @BeforeEach
    void startKafka() throws Exception {
        embedded = new EmbeddedKafka(dir.resolve("kafka"), 0);
        kafka = new KafkaSettings(
                embedded.bootstrapServers(), "one", dir.resolve("state"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
        try (Admin admin = Admin.create(kafka.common())) {
            Topics.ensure(admin, (short) 1);
        }
    }

    @AfterEach
    void stop() throws Exception {
        release.countDown();
        for (int i = parts.size() - 1; i >= 0; i--) {
            parts.get(i).close();
        }
        server.stop();
        if (embedded != null) {
            embedded.close();
        }
    }

    @Test
    void shouldCallOnceAtTheSlot_whenPermitsCome() throws Exception {
        PrometheusMeterRegistry metrics = registry();
        dispatcher(clock, metrics);
        Instant first = clock.instant().plusMillis(700);
        List<Permit> permits = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            permits.add(permit("/ok", first.plusMillis(i * 50L)));
        }

        send(permits);
        Map<String, Outcome> outcomes = outcomes(30);

        assertThat(outcomes.values()).allMatch(o -> o.kind() == Outcome.Kind.ANSWERED);
        assertThat(outcomes.values()).allMatch(o -> !startOf(o).isBefore(o.slot()));
        assertThat(called).hasSize(30).doesNotHaveDuplicates();
        assertThat(metrics.scrape())
                .contains("weir_calls_total{outcome=\"answered\",upstream=\"counter\"} 30")
                .contains("weir_call_lateness_seconds_bucket{upstream=\"counter\",le=\"0.001\"}")
                .contains("weir_call_seconds_count{upstream=\"counter\"} 30");
    }

    @Test
    void shouldHandBackAndFinish_whenItIsClosedInTheMiddle() throws Exception {
        Dispatcher dispatcher = dispatcher(clock, registry());
        Permit open = permit("/held", clock.instant());
        Permit waiting = new Permit(
                Permit.VERSION,
                UUID.randomUUID().toString(),
                "local",
                UPSTREAM,
                2,
                clock.instant().plusSeconds(600),
                clock.instant().plusSeconds(603),
                1,
                30_000,
                open.request(),
                null);
        send(List.of(open, waiting));
        await().atMost(PATIENCE).until(() -> called.contains(open.jobId()));

        Thread closer = new Thread(dispatcher::close);
        closer.start();
        Map<String, Outcome> returned = outcomes(1);
        release.countDown();
        closer.join(PATIENCE.toMillis());
        Map<String, Outcome> all = outcomes(2);

        assertThat(returned).containsOnlyKeys(waiting.jobId());
        assertThat(all.get(waiting.jobId())).extracting(Outcome::kind).isEqualTo(Outcome.Kind.RETURNED);
        assertThat(all.get(open.jobId())).extracting(Outcome::kind).isEqualTo(Outcome.Kind.ANSWERED);
    }

    @Test
    void shouldHandBackOnlyWhatWasNeverTaken_whenLatePermitsAreReadAgain() throws Exception {
        Dispatcher first = dispatcher(clock, registry());
        Permit used = permit("/ok", clock.instant());
        send(List.of(used));
        outcomes(1);
        first.close();
        Permit never = permit("/ok", clock.instant().minusSeconds(10));
        send(List.of(never));

        Dispatcher second = dispatcher(clock, registry());
        Map<String, Outcome> outcomes = outcomes(2);
        second.close();

        assertThat(outcomes.get(never.jobId())).extracting(Outcome::kind).isEqualTo(Outcome.Kind.RETURNED);
        assertThat(called).containsExactly(used.jobId());
    }

    @Test
    void shouldHandBackNothing_whenPermitsAreLongOver() throws Exception {
        Permit over = permit("/ok", clock.instant().minusSeconds(60));
        Permit good = permit("/ok", clock.instant().plusSeconds(5));
        send(List.of(over, good));

        dispatcher(clock, registry());

        assertThat(outcomes(1)).containsOnlyKeys(good.jobId());
        assertThat(called).containsExactly(good.jobId());
    }

    @Test
    void shouldCallNothingAgain_whenTheGroupsOffsetsWereReset() throws Exception {
        Dispatcher first = dispatcher(clock, registry());
        send(List.of(permit("/ok", clock.instant()), permit("/ok", clock.instant())));
        Instant expired = clock.instant().plus(TTL);
        outcomes(2);
        first.close();
        await().atMost(PATIENCE).until(() -> clock.instant().isAfter(expired));
        resetOffsets();

        dispatcher(clock, registry());
        Permit fresh = permit("/ok", clock.instant().plusMillis(200));
        send(List.of(fresh));

        await().atMost(PATIENCE).until(() -> called.contains(fresh.jobId()));
        assertThat(called).hasSize(3).doesNotHaveDuplicates();
    }

    @Test
    void shouldPassOverAndGoOn_whenARecordCannotBeRead() throws Exception {
        dispatcher(clock, registry());
        try (KafkaProducer<String, byte[]> producer = producer()) {
            producer.send(new ProducerRecord<>(Topics.DISPATCH, 0, "odd", "{\"v\":1".getBytes(StandardCharsets.UTF_8)))
                    .get();
            producer.send(new ProducerRecord<>(Topics.DISPATCH, 0, "empty", "{}".getBytes(StandardCharsets.UTF_8)))
                    .get();
            Permit good = permit("/ok", clock.instant());
            producer.send(new ProducerRecord<>(Topics.DISPATCH, 0, good.jobId(), Json.bytes(good)))
                    .get();

            assertThat(outcomes(1)).containsOnlyKeys(good.jobId());
        }
    }

    @Test
    void shouldTakeNoPermits_whenTheClockIsOff() throws Exception {
        InstantSource ahead = () -> clock.instant().plusSeconds(5);
        Dispatcher dispatcher = new Dispatcher(config(), kafka, registry(), ahead, Dispatcher.DRAIN);
        parts.add(dispatcher);

        dispatcher.start();

        await().atMost(PATIENCE)
                .until(() -> String.valueOf(dispatcher.notReady()).contains("ms ahead of the broker's"));
    }

    @Test
    void shouldCallNothingMore_whenTheMachineWasSuspended() throws Exception {
        AtomicReference<Duration> suspended = new AtomicReference<>(Duration.ZERO);
        PrometheusMeterRegistry metrics = registry();
        Dispatcher dispatcher = dispatcher(() -> clock.instant().minus(suspended.get()), metrics);
        Permit held = permit("/ok", clock.instant().plusSeconds(3));
        send(List.of(held));
        await().atMost(PATIENCE).until(() -> metrics.scrape().contains("weir_permits_held 1"));

        suspended.set(Duration.ofMillis(1500));

        await().atMost(PATIENCE)
                .until(() -> String.valueOf(dispatcher.notReady()).contains("ms behind the broker's"));
        assertThat(outcomes(1).get(held.jobId())).extracting(Outcome::kind).isEqualTo(Outcome.Kind.RETURNED);
        assertThat(called).isEmpty();
    }

    @Test
    void shouldTellTheDifference_whenAskedForTheBrokersTime() throws Exception {
        try (BrokerClock broker = new BrokerClock(kafka)) {
            assertThat(broker.offset(clock).abs()).isLessThan(Duration.ofMillis(500));
            assertThat(broker.offset(() -> clock.instant().minusSeconds(7)))
                    .isBetween(Duration.ofMillis(6500), Duration.ofMillis(7500));
        }
    }

    @Test
    void shouldWriteEveryResult_whenPostgresComesLate() throws Exception {
        int port = TestPorts.next();
        dispatcher(clock, registry());
        PrometheusMeterRegistry metrics = registry();
        Database database =
                new Database("postgresql://postgres@127.0.0.1:" + port + "/postgres", 3, "results", metrics);
        parts.add(database);
        ResultsWriter writer = new ResultsWriter(database, kafka, Duration.ofDays(30), metrics, clock);
        parts.add(writer);
        writer.start();
        List<Permit> permits = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            permits.add(permit("/ok", clock.instant()));
        }
        send(permits);
        outcomes(20);
        await().atMost(PATIENCE).until(() -> metrics.scrape().contains("weir_results_backlog 20"));
        assertThat(writer.notReady()).isNull();

        EmbeddedPostgres postgres = EmbeddedPostgres.builder().setPort(port).start();
        parts.add(0, postgres);

        await().atMost(PATIENCE).ignoreExceptions().until(() -> countRows(database) == 20);
        await().atMost(PATIENCE).until(() -> metrics.scrape().contains("weir_results_backlog 0"));
        assertThat(writer.notReady()).isNull();
    }

    private static Instant startOf(Outcome outcome) {
        Instant started = outcome.startedAt();
        return started == null ? Instant.MIN : started;
    }

    private static long countRows(Database database) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select count(*) from results where http_status = 200")) {
            return result.next() ? result.getLong(1) : 0;
        }
    }

    private Dispatcher dispatcher(InstantSource time, PrometheusMeterRegistry metrics) {
        Dispatcher dispatcher = new Dispatcher(config(), kafka, metrics, time, Dispatcher.DRAIN);
        parts.add(dispatcher);
        dispatcher.start();
        await().atMost(PATIENCE).until(() -> dispatcher.notReady() == null);
        return dispatcher;
    }

    private static PrometheusMeterRegistry registry() {
        return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    }

    private WeirConfig config() {
        UpstreamConfig upstream = new UpstreamConfig(
                UPSTREAM,
                URI.create("http://127.0.0.1:" + server.port()),
                UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1))),
                null);
        return new WeirConfig(Map.of(UPSTREAM, upstream), WeirConfig.DEFAULT_MAX_BODY_BYTES);
    }

    private static Permit permit(String path, Instant slot) {
        return new Permit(
                Permit.VERSION,
                UUID.randomUUID().toString(),
                "local",
                UPSTREAM,
                1,
                slot,
                slot.plus(TTL),
                1,
                30_000,
                new Call("POST", path, Map.of(), "{}", null),
                null);
    }

    private KafkaProducer<String, byte[]> producer() {
        return new KafkaProducer<>(kafka.producer(), new StringSerializer(), new ByteArraySerializer());
    }

    private void send(List<Permit> permits) throws Exception {
        try (KafkaProducer<String, byte[]> producer = producer()) {
            for (Permit permit : permits) {
                producer.send(new ProducerRecord<>(Topics.DISPATCH, permit.jobId(), Json.bytes(permit)))
                        .get();
            }
        }
    }

    /** All outcomes by job, once there are so many; a second one of a job is an error. */
    private Map<String, Outcome> outcomes(int count) {
        Map<String, Outcome> byJob = new java.util.HashMap<>();
        Map<String, Object> settings = kafka.common();
        settings.put("auto.offset.reset", "earliest");
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(Topics.OUTCOMES).stream()
                    .map(p -> new TopicPartition(p.topic(), p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            await().atMost(PATIENCE).until(() -> {
                for (ConsumerRecord<String, byte[]> record : consumer.poll(Duration.ofMillis(100))) {
                    Outcome outcome = Json.read(record.value(), Outcome.class);
                    assertThat(record.key()).isEqualTo(UPSTREAM);
                    assertThat(byJob.put(outcome.jobId(), outcome)).isNull();
                }
                return byJob.size() >= count;
            });
        }
        return byJob;
    }

    private void resetOffsets() throws Exception {
        try (Admin admin = Admin.create(kafka.common())) {
            // The member that left must be forgotten first.
            await().atMost(PATIENCE).ignoreExceptions().until(() -> {
                admin.alterShareGroupOffsets(PermitGroup.NAME, Map.of(new TopicPartition(Topics.DISPATCH, 0), 0L))
                        .all()
                        .get();
                return true;
            });
        }
    }
}
