package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.testing.Reply;
import dev.weir.throttler.testing.SettingsBuilder;
import dev.weir.throttler.testing.ThrottleHarness;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What follows from an upstream's answers. */
class OutcomeTopologyTest {
    private static final UpstreamSettings SETTINGS = SettingsBuilder.withLimits(new Limit(1000, Duration.ofMinutes(1)))
            .retries(Duration.ofMinutes(5))
            .build();

    private final ThrottleHarness harness = ThrottleHarness.of(SETTINGS);

    @AfterEach
    void close() {
        harness.close();
    }

    @Test
    void shouldFinishAJob_whenItsCallSucceeds() {
        JobRequest job = harness.submit();
        harness.advance(Duration.ofSeconds(1));

        harness.answer(harness.nextPermit(), 201);

        assertThat(harness.statuses(job)).containsExactly(JobStatus.QUEUED, JobStatus.DISPATCHED, JobStatus.SUCCEEDED);
    }

    @Test
    void shouldKeepAPermitSpent_whenOneThatWasCalledIsHandedBack() {
        harness.submit(2);
        harness.advance(Duration.ofSeconds(1));
        Permit called = harness.nextPermit();
        Permit unused = harness.nextPermit();
        harness.answer(called, 201);

        harness.handBack(called);
        harness.handBack(unused);
        harness.advance(Duration.ofSeconds(2));

        // The first job's call, and the second job's under its next permit.
        assertThat(harness.forecast().windows().get(0).used()).isEqualTo(2);
    }

    @Test
    void shouldRetryByTheScheduleAndThenBury_whenCallsFail() {
        JobRequest job = harness.submit();
        harness.advance(Duration.ofSeconds(1));
        harness.answer(harness.nextPermit(), 500);
        harness.advance(Duration.ofMinutes(5).minusSeconds(1));
        assertThat(harness.waitingPermits()).isZero();
        harness.advance(Duration.ofSeconds(1));
        Permit second = harness.nextPermit();
        assertThat(second.attempt()).isEqualTo(2);

        harness.fail(second);

        assertThat(harness.statuses(job))
                .containsExactly(
                        JobStatus.QUEUED,
                        JobStatus.DISPATCHED,
                        JobStatus.RETRYING,
                        JobStatus.QUEUED,
                        JobStatus.DISPATCHED,
                        JobStatus.DEAD);
        assertThat(harness.deadLetters()).singleElement().satisfies(letter -> {
            assertThat(letter.jobId()).isEqualTo(job.id());
            assertThat(letter.attempts()).isEqualTo(2);
        });
    }

    @Test
    void shouldBuryAtOnce_whenTheUpstreamRejectsTheCall() {
        JobRequest job = harness.submit();
        harness.advance(Duration.ofSeconds(1));

        harness.answer(harness.nextPermit(), 404);

        assertThat(harness.statusOf(job)).isEqualTo(JobStatus.DEAD);
        assertThat(harness.deadLetters()).extracting(DeadLetter::answerStatus).containsExactly(404);
    }

    @Test
    void shouldBuryAtOnce_andSpendNothing_whenTheDispatcherRefusesTheCall() {
        JobRequest job = harness.submit();
        harness.advance(Duration.ofSeconds(1));

        harness.refuse(harness.nextPermit());

        assertThat(harness.statusOf(job)).isEqualTo(JobStatus.DEAD);
        assertThat(harness.slots().cost()).isZero();
    }

    @Test
    void shouldHoldTheUpstream_atNoCostInAttempts_whenItSays429() {
        harness.submit();
        harness.advance(Duration.ofSeconds(1));
        harness.answer(harness.nextPermit(), Reply.retryAfter(Duration.ofSeconds(10)));
        harness.submit();

        harness.advance(Duration.ofSeconds(9));
        assertThat(harness.waitingPermits()).isZero();
        Forecast held = harness.forecast();
        assertThat(held.state()).isEqualTo("throttled");
        assertThat(held.heldBy()).isEqualTo("retry-after");
        harness.advance(Duration.ofSeconds(2));

        assertThat(harness.takePermits()).extracting(Permit::attempt).containsExactly(1, 1);
    }

    @Test
    void shouldOpenTheCircuit_whenCallsFailInARow_andCloseItAfterGoodProbes() {
        harness.submit(50);
        harness.advance(Duration.ofSeconds(1));
        harness.takePermits().forEach(harness::fail);

        harness.advance(Duration.ofSeconds(29));
        assertThat(harness.waitingPermits()).isZero();
        assertThat(harness.forecast().circuit()).isEqualTo("open");
        harness.advance(Duration.ofSeconds(5));
        List<Permit> probes = harness.takePermits();
        assertThat(probes).hasSize(3);
        probes.forEach(probe -> harness.answer(probe, 200));
        harness.advance(Duration.ofSeconds(1));

        assertThat(harness.waitingPermits()).isGreaterThan(5);
        assertThat(harness.forecast().circuit()).isEqualTo("closed");
    }
}
