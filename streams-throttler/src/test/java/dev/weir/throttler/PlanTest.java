package dev.weir.throttler;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final List<QuotaWindow> MINUTE_HOUR_DAY = List.of(
            new QuotaWindow(Duration.ofMinutes(1), 1000, 900),
            new QuotaWindow(Duration.ofHours(1), 50_000, 45_000),
            new QuotaWindow(Duration.ofDays(1), 500_000, 450_000));

    private static final Instant NOON = Instant.parse("2026-11-22T12:00:00Z");
    private static final Settings FORCE = settings(MINUTE_HOUR_DAY, 300);

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

    @Test
    void shouldWaitForTheHold_whateverRoomThereIs() {
        Forecast forecast = forecast("throttled", "retry-after", NOON.plusSeconds(90), 60);

        Plan plan = plan(forecast, 0);

        assertThat(plan.phases().get(0))
                .isEqualTo(new Plan.Phase("retry-after", Duration.ZERO, Duration.ofSeconds(90), 0));
        assertThat(plan.drained()).isBetween(Duration.ofSeconds(92), Duration.ofSeconds(94));
        assertThat(plan.waiting()).isEqualTo(60);
    }

    @Test
    void shouldPlanFromNow_whenItIsPausedOrNobodyWaits() {
        Instant later = NOON.plusSeconds(7);

        Plan paused = Plan.of(PlanStart.of(forecast("paused", "paused", NOON, 100), FORCE, FORCE, false, later), 0);
        PlanStart idle = PlanStart.of(forecast("running", null, NOON, 0), FORCE, FORCE, false, later);

        assertThat(requireNonNull(paused.drained())).isLessThan(Duration.ofSeconds(7));
        assertThat(EpochNanos.toInstant(idle.at())).isEqualTo(later);
        assertThat(Plan.of(idle, 0).phases()).isEmpty();
    }

    @Test
    void shouldCountTheUnknownPastAsFull_unlessToldOtherwise() {
        Forecast forecast = forecast("running", "pace", NOON, 10);
        Settings aWeek = settings(List.of(new QuotaWindow(Duration.ofDays(7), 100, 90)), 300);

        Plan full = Plan.of(PlanStart.of(forecast, FORCE, aWeek, false, NOON), 0);
        Plan unused = Plan.of(PlanStart.of(forecast, FORCE, aWeek, true, NOON), 0);

        assertThat(full.phases().get(0).heldBy()).isEqualTo("PT168H");
        assertThat(full.phases().get(0).to()).isEqualTo(Duration.ofDays(6));
        assertThat(unused.phases().get(0).heldBy()).isEqualTo("pace");
    }

    @Test
    void shouldRefuse_whenTheForecastIsOfOtherSettingsOrTellsNoPast() {
        Forecast forecast = forecast("running", null, NOON, 1);
        Settings others = settings(List.of(new QuotaWindow(Duration.ofMinutes(1), 1000, 800)), 300);

        assertThatThrownBy(() -> PlanStart.of(forecast, others, others, false, NOON))
                .hasMessageContaining("being changed");
        assertThatThrownBy(() -> plan(forecast, Plan.MAX_JOBS)).hasMessageContaining("expected 0 to 99999999");
    }

    private static Plan plan(Forecast forecast, long jobs) {
        return Plan.of(PlanStart.of(forecast, FORCE, FORCE, false, NOON.plusMillis(300)), jobs);
    }

    /** The log is complete since a day ago, and empty. */
    private static Forecast forecast(String state, @Nullable String heldBy, Instant notBefore, long waiting) {
        return new Forecast(
                Forecast.VERSION,
                FORCE.upstream(),
                NOON,
                state,
                heldBy,
                "closed",
                false,
                1,
                Weights.DEFAULT,
                FORCE.windows().stream()
                        .map(w -> new Forecast.Window(w.per(), w.limit(), w.budget(), 0, null))
                        .toList(),
                new Forecast.Queue(waiting, waiting, 0, 0, 0, null, null),
                0,
                List.of(),
                List.of(new Forecast.BreakPoint(0, notBefore, 1)),
                null,
                new Forecast.Basis(
                        notBefore,
                        Duration.ofMillis(20),
                        Duration.ofMillis(20),
                        List.of(),
                        new Forecast.History(0, List.of(), Duration.ZERO, NOON.minus(Duration.ofDays(1)), null)));
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
