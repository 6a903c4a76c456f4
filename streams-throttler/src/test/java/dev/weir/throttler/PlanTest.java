package dev.weir.throttler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final List<QuotaWindow> MINUTE_HOUR_DAY = List.of(
            new QuotaWindow(Duration.ofMinutes(1), 1000, 900),
            new QuotaWindow(Duration.ofHours(1), 50_000, 45_000),
            new QuotaWindow(Duration.ofDays(1), 500_000, 450_000));

    @Test
    void shouldTake25Hours05Minutes32Seconds_forHalfAMillionJobs() {
        Plan plan = Plan.of(settings(MINUTE_HOUR_DAY, 300), 500_000);

        assertThat(plan.lastCall().truncatedTo(java.time.temporal.ChronoUnit.SECONDS))
                .isEqualTo(Duration.parse("PT25H5M32S"));
    }

    @Test
    void shouldNameTheWindowThatHolds_whenTheHourAndThenTheDayAreSpent() {
        Plan plan = Plan.of(settings(MINUTE_HOUR_DAY, 300), 500_000);

        assertThat(plan.phases()).extracting(Plan.Phase::jobs).startsWith(45_000L, 0L, 45_000L);
        assertThat(plan.phases().get(1).heldBy()).isEqualTo("PT1H");
        assertThat(plan.phases().get(1).to()).isEqualTo(Duration.ofHours(1));
        assertThat(plan.phases()).anySatisfy(phase -> {
            assertThat(phase.heldBy()).isEqualTo("PT24H");
            assertThat(phase.to()).isEqualTo(Duration.ofHours(24));
        });
        assertThat(plan.phases().stream().mapToLong(Plan.Phase::jobs).sum()).isEqualTo(500_000);
    }

    @Test
    void shouldGoWithoutAHold_whenOneJobIsPlanned() {
        Plan plan = Plan.of(settings(MINUTE_HOUR_DAY, 300), 1);

        assertThat(plan.lastCall()).isZero();
        assertThat(plan.phases()).hasSize(1);
    }

    @Test
    void shouldWarn_whenTheCallsInFlightCannotKeepThePace() {
        assertThat(Plan.of(settings(MINUTE_HOUR_DAY, 300), 10).warning()).contains("450 calls");
        assertThat(Plan.of(settings(MINUTE_HOUR_DAY, 450), 10).warning()).isNull();
    }

    @Test
    void shouldRefuse_whenThereIsNothingToPlan() {
        assertThatThrownBy(() -> Plan.of(settings(MINUTE_HOUR_DAY, 300), 0)).hasMessageContaining("expected 1 to");
    }

    private static Settings settings(List<QuotaWindow> windows, int maxInFlight) {
        return new Settings(
                "gemini",
                windows,
                15,
                maxInFlight,
                Duration.ofSeconds(3),
                Duration.ofSeconds(30),
                List.of(Duration.ofMinutes(5)),
                CircuitBreakerSettings.DEFAULT,
                Weights.DEFAULT);
    }
}
