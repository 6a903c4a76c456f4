package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.testing.SettingsBuilder;
import dev.weir.throttler.testing.ThrottleHarness;
import dev.weir.throttler.testing.VirtualDispatcher;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Dispatchers that are gone, calls of which nobody knows, a throttle that stands still or is started anew. */
class OutageTopologyTest {
    private static final int IN_FLIGHT = 300;
    private static final Duration MINUTE = Duration.ofMinutes(1);
    /** Without any retry: a job that lost an attempt would be dead. */
    private static final UpstreamSettings SETTINGS = SettingsBuilder.withLimits(
                    new Limit(1000, MINUTE), new Limit(50_000, Duration.ofHours(1)))
            .maxInFlight(IN_FLIGHT)
            .retries()
            .circuitBreaker(5, Duration.ofSeconds(30), 3)
            .build();

    static Stream<Named<Consumer<VirtualDispatcher>>> waysToGo() {
        return Stream.of(Named.of("stopped", VirtualDispatcher::stop), Named.of("killed", VirtualDispatcher::kill));
    }

    @ParameterizedTest
    @MethodSource("waysToGo")
    void shouldSpendNoMoreThanIsInFlightAndTheProbes_andHarmNoJob_whenNobodyDispatchesForTenMinutes(
            Consumer<VirtualDispatcher> go) {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            harness.dispatcher().latency(Duration.ofMillis(700)).start();
            List<JobRequest> jobs = harness.submit(4000);
            harness.advance(Duration.ofMinutes(2));
            int before = harness.permits().size();

            go.accept(harness.dispatcher());
            harness.advance(Duration.ofMinutes(10));
            int spent = harness.permits().size() - before;
            assertThat(harness.forecast().heldBy()).isEqualTo("no-dispatcher");
            harness.dispatcher().start();
            harness.advanceUntilFinished(Duration.ofMinutes(10));

            // All that may be out, then a probe each 30 s.
            assertThat(spent).isBetween(IN_FLIGHT - 20, IN_FLIGHT + 20);
            assertThat(harness.count(JobStatus.SUCCEEDED)).isEqualTo(jobs.size());
            assertThat(harness.deadLetters()).isEmpty();
            harness.slots().neverMoreThan(900).inAny(MINUTE);
            harness.calls().neverMoreThan(1000).inAny(MINUTE);
        }
    }

    @Test
    void shouldGoAtFullRateAtOnce_whenTheDispatcherIsBack() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            harness.submit(4000);
            harness.advance(Duration.ofMinutes(10));

            harness.dispatcher().start();
            harness.advance(Duration.ofMinutes(2));

            assertThat(harness.calls()
                            .between(harness.now().minus(MINUTE), harness.now())
                            .cost())
                    .isBetween(895L, 905L);
        }
    }

    @Test
    void shouldGoFirstAgain_whenNobodyKnowsWhatBecameOfItsCall() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            JobRequest job = harness.submit();
            harness.advance(Duration.ofSeconds(1));
            Permit lost = harness.nextPermit();

            harness.advance(Duration.ofSeconds(50));

            Permit again = harness.nextPermit();
            assertThat(again.jobId()).isEqualTo(job.id());
            assertThat(again.attempt()).isEqualTo(2);
            assertThat(again.permit()).isGreaterThan(lost.permit());
            harness.answer(lost, 200);
            assertThat(harness.statuses(job))
                    .containsExactly(
                            JobStatus.QUEUED,
                            JobStatus.DISPATCHED,
                            JobStatus.QUEUED,
                            JobStatus.DISPATCHED,
                            JobStatus.SUCCEEDED);
        }
    }

    @Test
    void shouldReadTheOutcomesFirst_whenItWakesFromAStall() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            JobRequest job = harness.submit();
            harness.dispatcher().latency(Duration.ofSeconds(20)).start();
            harness.advance(Duration.ofSeconds(5));

            harness.stall(Duration.ofSeconds(120));
            harness.advance(Duration.ofSeconds(20));

            assertThat(harness.statuses(job))
                    .containsExactly(JobStatus.QUEUED, JobStatus.DISPATCHED, JobStatus.SUCCEEDED);
        }
    }

    @Test
    void shouldNeitherLoseNorRepeatNorExceed_whenItIsRestartedInTheMiddle() {
        try (ThrottleHarness harness = ThrottleHarness.of(SETTINGS)) {
            harness.dispatcher().latency(Duration.ofSeconds(3)).start();
            List<JobRequest> jobs = harness.submit(3000);
            JobRequest later = harness.job().notBefore(Duration.ofSeconds(70)).submit();

            for (int i = 0; i < 10; i++) {
                harness.advance(Duration.ofSeconds(7)).restart(Duration.ofSeconds(i % 3));
            }
            harness.advanceUntilFinished(Duration.ofMinutes(4));

            assertThat(harness.count(JobStatus.SUCCEEDED)).isEqualTo(jobs.size() + 1);
            assertThat(harness.statuses(later).get(0)).isEqualTo(JobStatus.SCHEDULED);
            assertThat(harness.calls().size()).isEqualTo(jobs.size() + 1);
            harness.slots().neverMoreThan(900).inAny(MINUTE);
            assertThat(harness.slots().mostWithin(MINUTE).cost()).isGreaterThan(850);
        }
    }
}
