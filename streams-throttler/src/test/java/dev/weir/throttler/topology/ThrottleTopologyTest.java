package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.RetrySettings;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.contracts.wire.Priority;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ThrottleTopologyTest {
    private static final Instant START = Instant.parse("2026-11-22T10:00:00Z");
    private static final String UPSTREAM = "gemini";

    @TempDir
    java.nio.file.Path stateDir;

    private Instant now = START;
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private TopologyTestDriver driver;
    private TestInputTopic<String, byte[]> requests;
    private TestInputTopic<String, byte[]> outcomes;
    private TestOutputTopic<String, Permit> dispatch;
    private TestOutputTopic<String, JobEvent> events;
    private TestOutputTopic<String, DeadLetter> deadLetters;
    private TestOutputTopic<String, Forecast> forecasts;

    @BeforeEach
    void open() {
        UpstreamSettings settings = new UpstreamSettings(
                List.of(new Limit(1000, Duration.ofMinutes(1)), new Limit(50_000, Duration.ofHours(1))),
                new BigDecimal("0.9"),
                15,
                300,
                Duration.ofSeconds(3),
                Duration.ofSeconds(30),
                new RetrySettings(List.of(Duration.ofMinutes(5))),
                CircuitBreakerSettings.DEFAULT,
                Weights.DEFAULT);
        ThrottleTopology topology = new ThrottleTopology(
                Map.of(UPSTREAM, settings), () -> now, () -> true, new ThrottleMetrics(registry), 1);
        Properties properties = new Properties();
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        properties.put(StreamsConfig.STATE_DIR_CONFIG, stateDir.toString());
        properties.put(StreamsConfig.ENSURE_EXPLICIT_INTERNAL_RESOURCE_NAMING_CONFIG, true);
        properties.put(StreamsConfig.ROCKSDB_CONFIG_SETTER_CLASS_CONFIG, BoundedMemory.class);
        driver = new TopologyTestDriver(topology.get(), properties, START);
        requests = driver.createInputTopic(Topics.REQUESTS, new StringSerializer(), new ByteArraySerializer());
        outcomes = driver.createInputTopic(Topics.OUTCOMES, new StringSerializer(), new ByteArraySerializer());
        dispatch = output(Topics.DISPATCH, Permit.class);
        events = output(Topics.JOB_EVENTS, JobEvent.class);
        deadLetters = output(Topics.DEAD_LETTERS, DeadLetter.class);
        forecasts = output(Topics.FORECASTS, Forecast.class);
    }

    @AfterEach
    void close() {
        driver.close();
    }

    @Test
    void shouldGivePermitsAheadOfTheirSlots_evenly_whenJobsWait() {
        for (int i = 0; i < 1000; i++) {
            submit(null, null);
        }

        List<Permit> permits = answerAll(Duration.ofSeconds(62));

        Instant first = permits.get(0).slot();
        assertThat(permits.stream().filter(p -> p.slot().isBefore(first.plusSeconds(60))))
                .hasSize(900);
        assertThat(permits.get(1).slot()).isEqualTo(first.plusMillis(60));
    }

    @Test
    void shouldFinishAJob_whenItsCallSucceeds() {
        JobRequest job = submit(null, null);
        advance(Duration.ofSeconds(1));

        report(dispatch.readValue(), Outcome.Kind.ANSWERED, 201, Map.of());

        assertThat(statuses(job)).containsExactly(JobStatus.QUEUED, JobStatus.DISPATCHED, JobStatus.SUCCEEDED);
        assertThat(registry.counter("weir.released", "upstream", UPSTREAM).count())
                .isEqualTo(1);
    }

    @Test
    void shouldRetryByTheScheduleAndThenBury_whenCallsFail() {
        JobRequest job = submit(null, null);
        advance(Duration.ofSeconds(1));
        report(dispatch.readValue(), Outcome.Kind.ANSWERED, 500, Map.of());
        advance(Duration.ofMinutes(5).minusSeconds(2));
        assertThat(dispatch.isEmpty()).isTrue();
        advance(Duration.ofSeconds(3));
        Permit second = dispatch.readValue();
        assertThat(second.attempt()).isEqualTo(2);

        report(second, Outcome.Kind.FAILED, 0, Map.of());

        assertThat(statuses(job))
                .containsExactly(
                        JobStatus.QUEUED,
                        JobStatus.DISPATCHED,
                        JobStatus.RETRYING,
                        JobStatus.QUEUED,
                        JobStatus.DISPATCHED,
                        JobStatus.DEAD);
        DeadLetter letter = deadLetters.readValue();
        assertThat(letter.jobId()).isEqualTo(job.id());
        assertThat(letter.attempts()).isEqualTo(2);
    }

    @Test
    void shouldBuryAtOnce_whenTheUpstreamRejectsTheCall() {
        JobRequest job = submit(null, null);
        advance(Duration.ofSeconds(1));

        report(dispatch.readValue(), Outcome.Kind.ANSWERED, 404, Map.of());

        assertThat(statuses(job)).endsWith(JobStatus.DEAD);
        assertThat(deadLetters.readValue().answerStatus()).isEqualTo(404);
    }

    @Test
    void shouldHoldTheUpstream_atNoCostInAttempts_whenItSays429() {
        submit(null, null);
        advance(Duration.ofSeconds(1));
        report(dispatch.readValue(), Outcome.Kind.ANSWERED, 429, Map.of("retry-after", "10"));
        submit(null, null);

        advance(Duration.ofSeconds(9));
        assertThat(dispatch.isEmpty()).isTrue();
        Forecast held = lastForecast();
        assertThat(held.state()).isEqualTo("throttled");
        assertThat(held.heldBy()).isEqualTo("retry-after");
        advance(Duration.ofSeconds(2));

        assertThat(dispatch.readValuesToList()).extracting(Permit::attempt).containsExactly(1, 1);
    }

    @Test
    void shouldGiveTheCostBackAndGoFirst_whenAPermitIsHandedBack() {
        JobRequest job = submit(null, null);
        advance(Duration.ofSeconds(1));
        Permit unused = dispatch.readValue();

        report(unused, Outcome.Kind.RETURNED, 0, Map.of());
        advance(Duration.ofSeconds(1));

        Permit again = dispatch.readValue();
        assertThat(again.jobId()).isEqualTo(job.id());
        assertThat(again.attempt()).isEqualTo(1);
        assertThat(again.permit()).isGreaterThan(unused.permit());
        assertThat(lastForecast().windows().get(0).used()).isEqualTo(1);
    }

    @Test
    void shouldStopAndProbe_whenNobodyDispatches_andLoseNoJob() {
        for (int i = 0; i < 1000; i++) {
            submit(null, null);
        }

        advance(Duration.ofMinutes(10));

        List<Permit> permits = dispatch.readValuesToList();
        assertThat(permits.size()).isBetween(300, 300 + 25);
        assertThat(lastForecast().heldBy()).isEqualTo("no-dispatcher");
        assertThat(deadLetters.isEmpty()).isTrue();
        report(permits.get(permits.size() - 1), Outcome.Kind.ANSWERED, 200, Map.of());
        advance(Duration.ofSeconds(2));
        assertThat(dispatch.getQueueSize()).isGreaterThan(10);
    }

    @Test
    void shouldOpenTheCircuit_whenCallsFailInARow_andCloseItAfterGoodProbes() {
        for (int i = 0; i < 50; i++) {
            submit(null, null);
        }
        advance(Duration.ofSeconds(1));
        dispatch.readValuesToList().forEach(p -> report(p, Outcome.Kind.FAILED, 0, Map.of()));

        advance(Duration.ofSeconds(20));
        assertThat(dispatch.isEmpty()).isTrue();
        assertThat(lastForecast().circuit()).isEqualTo("open");
        advance(Duration.ofSeconds(15));
        List<Permit> probes = dispatch.readValuesToList();
        assertThat(probes).hasSize(3);
        probes.forEach(p -> report(p, Outcome.Kind.ANSWERED, 200, Map.of()));
        advance(Duration.ofSeconds(1));

        assertThat(dispatch.getQueueSize()).isGreaterThan(5);
        assertThat(lastForecast().circuit()).isEqualTo("closed");
    }

    @Test
    void shouldWaitForNotBefore_andExpireAtTheDeadline() {
        JobRequest later = submit(START.plusSeconds(30), null);
        JobRequest never = submit(START.plusSeconds(60), START.plusSeconds(45));

        advance(Duration.ofSeconds(29));
        assertThat(dispatch.isEmpty()).isTrue();
        List<Permit> permits = answerAll(Duration.ofSeconds(61));

        assertThat(permits).extracting(Permit::jobId).containsExactly(later.id());
        assertThat(events.readValuesToList().stream()
                        .filter(e -> e.id().equals(never.id()))
                        .map(JobEvent::status))
                .containsExactly(JobStatus.SCHEDULED, JobStatus.EXPIRED);
    }

    @Test
    void shouldTakeAJobOnce_whenItComesTwice() {
        JobRequest job = submit(null, null);
        requests.pipeInput(UPSTREAM, Json.bytes(job));

        advance(Duration.ofSeconds(1));

        assertThat(dispatch.readValuesToList()).hasSize(1);
    }

    @Test
    void shouldKeepAPoisonRecordAsideAndGoOn() {
        requests.pipeInput(UPSTREAM, "{\"id\":".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        requests.pipeInput(UPSTREAM, "{}".getBytes(java.nio.charset.StandardCharsets.UTF_8));
        outcomes.pipeInput(UPSTREAM, new byte[] {0, 1, 2});
        JobRequest job = submit(null, null);

        advance(Duration.ofSeconds(1));

        assertThat(deadLetters.readValuesToList()).hasSize(3).allSatisfy(letter -> {
            assertThat(letter.sourceValueBase64()).isNotNull();
            assertThat(letter.reason()).isNotBlank();
        });
        assertThat(dispatch.readValue().jobId()).isEqualTo(job.id());
    }

    @Test
    void shouldReadTheOutcomesFirst_whenItWakesFromAStall() {
        JobRequest job = submit(null, null);
        advance(Duration.ofSeconds(1));
        Permit permit = dispatch.readValue();
        advance(Duration.ofSeconds(5));

        now = now.plusSeconds(120);
        driver.advanceWallClockTime(Duration.ofSeconds(120));
        report(permit, Outcome.Kind.ANSWERED, 200, Map.of());
        advance(Duration.ofSeconds(1));

        assertThat(statuses(job)).containsExactly(JobStatus.QUEUED, JobStatus.DISPATCHED, JobStatus.SUCCEEDED);
    }

    @Test
    void shouldGoFirstAgain_whenNobodyKnowsWhatBecameOfItsCall() {
        JobRequest job = submit(null, null);
        advance(Duration.ofSeconds(1));
        Permit lost = dispatch.readValue();

        advance(Duration.ofSeconds(50));

        Permit again = dispatch.readValue();
        assertThat(again.jobId()).isEqualTo(job.id());
        assertThat(again.attempt()).isEqualTo(2);
        assertThat(again.permit()).isGreaterThan(lost.permit());
        report(lost, Outcome.Kind.ANSWERED, 200, Map.of());
        assertThat(statuses(job))
                .containsExactly(
                        JobStatus.QUEUED,
                        JobStatus.DISPATCHED,
                        JobStatus.QUEUED,
                        JobStatus.DISPATCHED,
                        JobStatus.SUCCEEDED);
    }

    @Test
    void shouldTakeADateOutOfAllReachForWhatItIs_andGoOn() {
        submit(Instant.MIN, null);
        submit(null, Instant.MIN);
        submit(null, Instant.MAX);

        advance(Duration.ofSeconds(1));

        assertThat(dispatch.readValuesToList()).hasSize(2);
        assertThat(events.readValuesToList().stream().filter(e -> e.status() == JobStatus.EXPIRED))
                .hasSize(1);
    }

    @Test
    void shouldGiveAJobItsEnd_whenItsUpstreamIsNotConfigured() {
        JobRequest job = submit(null, null);
        JobRequest lost = new JobRequest(
                1,
                UUID.randomUUID().toString(),
                job.tenant(),
                "nobody",
                job.request(),
                Priority.NORMAL,
                null,
                null,
                1,
                now,
                "hash",
                null);

        requests.pipeInput("nobody", Json.bytes(lost));

        assertThat(statuses(lost)).containsExactly(JobStatus.DEAD);
        assertThat(deadLetters.readValue().request()).isEqualTo(lost);
    }

    @Test
    void shouldForetellEachJobsCall_whenNothingChanges() {
        for (int i = 0; i < 2000; i++) {
            submit(null, null);
        }
        advance(Duration.ofSeconds(1));
        Forecast forecast = lastForecast();

        answerAll(Duration.ofSeconds(140));

        Instant drained = forecast.queue().drainedAt();
        assertThat(drained).isNotNull();
        Instant last = events.readValuesToList().stream()
                .filter(e -> e.status() == JobStatus.DISPATCHED)
                .map(JobEvent::dueAt)
                .max(Instant::compareTo)
                .orElseThrow();
        assertThat(Duration.between(drained, last).abs()).isLessThan(Duration.ofSeconds(1));
        assertThat(Duration.between(
                                forecast.timeOfPermit(forecast.lanes().get(0).cost() - 1), last)
                        .abs())
                .isLessThan(Duration.ofSeconds(1));
    }

    private JobRequest submit(@Nullable Instant notBefore, @Nullable Instant deadline) {
        JobRequest job = new JobRequest(
                1,
                UUID.randomUUID().toString(),
                "local",
                UPSTREAM,
                new Call("POST", "/x", Map.of(), "{}", null),
                Priority.NORMAL,
                notBefore,
                deadline,
                1,
                now,
                "hash",
                null);
        requests.pipeInput(UPSTREAM, Json.bytes(job));
        return job;
    }

    private void report(Permit permit, Outcome.Kind kind, int status, Map<String, String> headers) {
        boolean called = kind != Outcome.Kind.RETURNED;
        outcomes.pipeInput(
                UPSTREAM,
                Json.bytes(new Outcome(
                        1,
                        permit.jobId(),
                        permit.tenant(),
                        UPSTREAM,
                        permit.permit(),
                        permit.attempt(),
                        kind,
                        permit.slot(),
                        called ? permit.slot() : null,
                        permit.slot().plusMillis(20),
                        kind == Outcome.Kind.ANSWERED ? new Answer(status, headers, "{}", null, false) : null,
                        kind == Outcome.Kind.ANSWERED ? null : "connection refused")));
    }

    private void advance(Duration by) {
        Instant end = now.plus(by);
        while (now.isBefore(end)) {
            now = now.plusMillis(50);
            driver.advanceWallClockTime(Duration.ofMillis(50));
        }
    }

    private List<Permit> answerAll(Duration during) {
        List<Permit> all = new ArrayList<>();
        for (long second = 0; second < during.toSeconds(); second++) {
            advance(Duration.ofSeconds(1));
            List<Permit> some = dispatch.readValuesToList();
            some.forEach(p -> report(p, Outcome.Kind.ANSWERED, 200, Map.of()));
            all.addAll(some);
        }
        return all;
    }

    private List<JobStatus> statuses(JobRequest job) {
        return events.readValuesToList().stream()
                .filter(e -> e.id().equals(job.id()))
                .map(JobEvent::status)
                .toList();
    }

    private Forecast lastForecast() {
        List<Forecast> all = forecasts.readValuesToList();
        return all.get(all.size() - 1);
    }

    private <T> TestOutputTopic<String, T> output(String topic, Class<T> type) {
        return driver.createOutputTopic(
                topic, new StringDeserializer(), Json.serde(type).deserializer());
    }
}
