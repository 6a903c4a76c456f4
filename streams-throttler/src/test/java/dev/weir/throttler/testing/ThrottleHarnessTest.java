package dev.weir.throttler.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ThrottleHarnessTest {
    private static final UpstreamSettings SLOW = SettingsBuilder.withLimits(
                    new Limit(10, Duration.ofMinutes(1)), new Limit(40, Duration.ofMinutes(10)))
            .retries(Duration.ofMinutes(2), Duration.ofMinutes(3))
            .build();

    @Test
    void shouldShowTheSame_whenTicksAtWhichNothingCanHappenAreLeftOut() {
        try (ThrottleHarness dense = eventfulHalfHour(new Steps(Steps.TICK, false));
                ThrottleHarness sparse = eventfulHalfHour(new Steps(Steps.TICK, true))) {
            assertThat(sparse.permits())
                    .extracting(Permit::jobId, Permit::attempt)
                    .isEqualTo(dense.permits().stream()
                            .map(p -> tuple(p.jobId(), p.attempt()))
                            .toList());
            for (int i = 0; i < dense.permits().size(); i++) {
                // A tick that the machine holds up for longer than its budget leaves its work to the next one.
                assertThat(sparse.permits().get(i).slot())
                        .isCloseTo(dense.permits().get(i).slot(), within(500, ChronoUnit.MILLIS));
            }
            assertThat(statuses(sparse)).isEqualTo(statuses(dense));
        }
    }

    @Test
    void shouldGiveTheSameSlots_whenTicksAreFurtherApart() {
        List<Instant> near = new ArrayList<>();
        List<Instant> far = new ArrayList<>();
        for (Duration tick : List.of(Steps.TICK, Steps.COARSE)) {
            UpstreamSettings settings =
                    UpstreamSettings.of(new Limit(600, Duration.ofMinutes(1)), new Limit(900, Duration.ofMinutes(5)));
            try (ThrottleHarness harness =
                    new ThrottleHarness(false, new Steps(tick, true), Map.of(ThrottleHarness.UPSTREAM, settings))) {
                harness.dispatcher().start();
                harness.submit(1000);
                harness.advanceUntilFinished(Duration.ofMinutes(8));
                harness.permits().forEach(p -> (tick.equals(Steps.TICK) ? near : far).add(p.slot()));
            }
        }

        // The first one comes with the first tick; from there on all goes alike.
        Duration later = Duration.between(near.get(0), far.get(0));
        assertThat(far.stream().map(slot -> slot.minus(later))).isEqualTo(near);
    }

    @Test
    void shouldGoOnFromTheChangelogAlone_whenRestarted() {
        try (ThrottleHarness harness = ThrottleHarness.of(SLOW)) {
            List<JobRequest> jobs = harness.submit(30);
            JobRequest later = harness.job().notBefore(Duration.ofMinutes(5)).submit();
            harness.advance(Duration.ofSeconds(2));
            harness.fail(harness.nextPermit());
            harness.advance(Duration.ofSeconds(2));
            long waiting = harness.forecast().queue().waiting();

            harness.restart().advance(Duration.ofMillis(100));

            assertThat(harness.forecast().queue().waiting()).isBetween(waiting - 1, waiting);
            assertThat(harness.forecast().queue().retrying()).isEqualTo(1);
            assertThat(harness.forecast().queue().scheduled()).isEqualTo(1);
            harness.dispatcher().start();
            harness.advanceUntilFinished(Duration.ofMinutes(30));
            assertThat(harness.count(JobStatus.SUCCEEDED)).isEqualTo(jobs.size() + 1);
            assertThat(harness.statuses(later))
                    .containsExactly(JobStatus.SCHEDULED, JobStatus.QUEUED, JobStatus.DISPATCHED, JobStatus.SUCCEEDED);
        }
    }

    @Test
    void shouldDriveSeveralUpstreamsApart() {
        UpstreamSettings fast = UpstreamSettings.of(new Limit(100, Duration.ofMinutes(1)));
        try (ThrottleHarness harness = ThrottleHarness.of(Map.of("slow", SLOW, "fast", fast))) {
            harness.dispatcher().start();
            harness.job().upstream("slow").submit(200);
            harness.job().upstream("fast").submit(200);

            harness.advance(Duration.ofMinutes(5));

            assertThat(harness.slots("slow").cost()).isEqualTo(36);
            assertThat(harness.calls("fast").cost()).isEqualTo(200);
            assertThatThrownBy(harness::slots).hasMessageContaining("say which upstream");
        }
    }

    @Test
    void shouldSayWhatHoldsThePermitBack_whenNoneWaits() {
        try (ThrottleHarness harness = ThrottleHarness.of(SLOW)) {
            harness.submit();
            harness.pause();
            harness.advance(Duration.ofSeconds(1));

            assertThatThrownBy(harness::nextPermit)
                    .isInstanceOf(AssertionError.class)
                    .hasMessageContaining("gemini is paused");
        }
    }

    /** Failures, pushbacks, losses, dates, a cancellation and an outage, with waits between them that are long and short. */
    private static ThrottleHarness eventfulHalfHour(Steps steps) {
        ThrottleHarness harness = new ThrottleHarness(false, steps, Map.of(ThrottleHarness.UPSTREAM, SLOW));
        harness.dispatcher()
                .latency(Duration.ofMillis(2345))
                .replies(ThrottleHarnessTest::eventful)
                .start();
        List<JobRequest> jobs = harness.submit(60);
        for (int i = 1; i <= 10; i++) {
            harness.job().notBefore(Duration.ofSeconds(171L * i)).submit();
            harness.job().deadline(Duration.ofSeconds(131L * i)).submit();
        }
        harness.advance(Duration.ofSeconds(1000)).cancel(jobs.get(50));
        harness.dispatcher().kill();
        harness.advance(Duration.ofSeconds(400));
        harness.dispatcher().start();
        return harness.advance(Duration.ofSeconds(600));
    }

    private static List<List<JobStatus>> statuses(ThrottleHarness harness) {
        return IntStream.rangeClosed(1, 80)
                .mapToObj(n -> harness.events("job-" + n).stream()
                        .map(JobEvent::status)
                        .toList())
                .toList();
    }

    private static Reply eventful(Permit permit) {
        int number = Integer.parseInt(permit.jobId().substring("job-".length()));
        if (permit.attempt() > 1) {
            return Reply.of(200);
        }
        return switch (number % 11) {
            case 3 -> Reply.failure();
            case 5 -> Reply.loss();
            case 7 -> permit.permit() % 2 == 0 ? Reply.retryAfter(Duration.ofSeconds(17)) : Reply.of(503);
            default -> Reply.of(200);
        };
    }
}
