package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.testing.SettingsBuilder;
import dev.weir.throttler.testing.ThrottleHarness;
import dev.weir.throttler.testing.Timeline;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What people decide of an upstream while it runs. */
class ControlTopologyTest {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final ThrottleHarness harness = ThrottleHarness.of(UpstreamSettings.of(new Limit(1000, MINUTE)));

    @AfterEach
    void close() {
        harness.close();
    }

    @Test
    void shouldKeepToTheLimitInForce_andUseItAllAgain_whenItIsLoweredInTheMiddleOfAMinuteAndRaised() {
        harness.dispatcher().start();
        harness.submit(3000);
        harness.advance(Duration.ofSeconds(90));

        harness.configure(SettingsBuilder.from(harness.settings())
                .limits(new Limit(334, MINUTE))
                .build());
        Instant lowered = harness.now();
        harness.advance(Duration.ofSeconds(130));
        harness.configure(SettingsBuilder.from(harness.settings())
                .limits(new Limit(1000, MINUTE))
                .build());
        Instant raised = harness.now();
        harness.advance(Duration.ofSeconds(40));

        Timeline all = harness.slots();
        all.neverMoreThan(900).inAny(MINUTE);
        // What was given ahead stands; from then on each permit finds less than 300 in its trailing minute.
        for (Instant slot : slots(lowered.plus(Throttle.AHEAD), raised)) {
            Timeline trailing = all.between(slot.minus(MINUTE).plusNanos(1), slot.plusNanos(1));
            assertThat(trailing.cost()).isLessThanOrEqualTo(300);
        }
        assertThat(all.between(raised.minus(MINUTE), raised).cost()).isEqualTo(300);
        assertThat(all.between(raised.plusSeconds(1), raised.plusSeconds(31)).cost())
                .isBetween(449L, 465L);
    }

    @Test
    void shouldGiveNothing_andLoseNothing_whilePaused() {
        harness.dispatcher().start();
        harness.submit(100);
        harness.advance(Duration.ofSeconds(2));

        harness.pause();
        harness.advance(Duration.ofSeconds(1));
        long spent = harness.slots().cost();
        harness.restart();
        harness.advance(Duration.ofHours(1));
        assertThat(harness.slots().cost()).isEqualTo(spent);
        assertThat(harness.forecast().state()).isEqualTo(Forecast.PAUSED);
        harness.resume();

        harness.advanceUntilFinished(MINUTE);
        assertThat(harness.count(JobStatus.SUCCEEDED)).isEqualTo(100);
    }

    @Test
    void shouldKeepItsJobs_whenTheUpstreamIsRemoved_untilItComesBack() {
        JobRequest job = harness.submit();
        harness.remove();

        harness.advance(MINUTE);
        assertThat(harness.waitingPermits()).isZero();
        assertThat(harness.forecast().removed()).isTrue();
        harness.configure(harness.settings());
        harness.advance(Duration.ofSeconds(1));

        assertThat(harness.nextPermit().jobId()).isEqualTo(job.id());
    }

    private List<Instant> slots(Instant from, Instant to) {
        return harness.permits().stream()
                .map(Permit::slot)
                .filter(slot -> !slot.isBefore(from) && slot.isBefore(to))
                .toList();
    }
}
