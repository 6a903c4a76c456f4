package dev.weir.throttler.simulation;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.Plan;
import dev.weir.throttler.PlanStart;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.ForwardRun;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Plans from what a forecast tells, against the throttle's own log in the middle of a day. */
class PlanFromForecastTest {
    private static final Duration A_SECOND = Duration.ofSeconds(1);
    private static final Settings IN_FORCE = settings(1.0, 0.9, 15);

    @SuppressWarnings("NullAway.Init")
    private static Outlet outlet;

    @SuppressWarnings("NullAway.Init")
    private static Forecast forecast;

    /** The fifth hour is spent, and half of the day; the first jobs did not come at full pace. */
    @BeforeAll
    static void spendHalfADay() {
        SplittableRandom random = new SplittableRandom(1);
        outlet = new Outlet(IN_FORCE, 300_000);
        int submitted = 0;
        for (int minute = 0; minute < 60; minute++) {
            for (int jobs = random.nextInt(1200); jobs > 0; jobs--, submitted++) {
                outlet.submit("a", Priority.NORMAL, 1);
            }
            outlet.run(Duration.ofMinutes(1));
        }
        for (; submitted < 300_000; submitted++) {
            outlet.submit("a", Priority.NORMAL, 1);
        }
        outlet.run(Duration.ofMinutes(4 * 60 + 20));
        while (!"PT1H".equals(outlet.forecast().heldBy())) {
            outlet.run(Duration.ofSeconds(30));
        }
        forecast = outlet.forecast();
    }

    static Stream<Settings> whatIfs() {
        return Stream.of(
                IN_FORCE,
                settings(1.0, 1.0, 15),
                settings(2.0, 0.9, 15),
                settings(0.5, 0.9, 15),
                settings(0.3, 0.8, 0),
                settings(10.0, 0.9, 500),
                with(IN_FORCE, List.of(new QuotaWindow(Duration.ofMinutes(1), 300, 270))),
                with(
                        IN_FORCE,
                        List.of(
                                new QuotaWindow(Duration.ofMinutes(10), 3000, 2700),
                                new QuotaWindow(Duration.ofHours(12), 300_000, 290_000))),
                with(
                        IN_FORCE,
                        List.of(
                                new QuotaWindow(Duration.ofMinutes(1), 2000, 1900),
                                new QuotaWindow(Duration.ofDays(7), 1_000_000, 900_000))));
    }

    @ParameterizedTest
    @MethodSource("whatIfs")
    void shouldAgreeWithTheRecurrenceOnTheLogItself_whateverTheSettings(Settings whatIf) {
        PermitLog log = new PermitLog(IN_FORCE.windows(), IN_FORCE.burst());
        log.copyFrom(outlet.throttle.log());
        log.configure(whatIf.windows(), whatIf.burst());
        long now = EpochNanos.of(outlet.now());
        ForwardRun run = new ForwardRun(
                log, now + Throttle.LEAD.toNanos(), Duration.ofMillis(20).toNanos(), 0);
        long waiting = forecast.queue().waiting();
        Instant drained = Instant.MIN;
        Instant last = Instant.MIN;
        for (long n = 0; n < waiting + 200_000; n++) {
            last = EpochNanos.toInstant(run.next(1).at());
            drained = n < waiting ? last : drained;
        }

        Plan plan = Plan.of(PlanStart.of(forecast, IN_FORCE, whatIf, false, outlet.now()), 200_000);

        Instant start = forecast.at();
        assertThat(start.plus(requireNonNull(plan.drained())))
                .isBetween(drained.minus(A_SECOND), drained.plus(A_SECOND));
        assertThat(start.plus(plan.lastCall())).isBetween(last.minus(A_SECOND), last.plus(A_SECOND));
    }

    @Test
    void shouldAgreeWithTheForecast_whenNothingIsToChange() {
        Plan plan = Plan.of(PlanStart.of(forecast, IN_FORCE, IN_FORCE, false, outlet.now()), 0);

        Instant drained = requireNonNull(forecast.queue().drainedAt());
        assertThat(forecast.at().plus(requireNonNull(plan.drained())))
                .isBetween(drained.minus(A_SECOND), drained.plus(A_SECOND));
        assertThat(plan.lastCall()).isEqualTo(plan.drained());
    }

    private static Settings settings(double times, double utilization, int burst) {
        return with(
                new Settings(
                        "gemini",
                        List.of(),
                        burst,
                        300,
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(30),
                        List.of(),
                        CircuitBreakerSettings.DEFAULT,
                        Weights.DEFAULT),
                Stream.of(Duration.ofMinutes(1), Duration.ofHours(1), Duration.ofDays(1))
                        .map(per -> {
                            long permits = per.toMinutes() == 1 ? 1000 : per.toHours() == 1 ? 50_000 : 500_000;
                            long limit = (long) (permits * times);
                            return new QuotaWindow(per, limit, Math.round(limit * utilization));
                        })
                        .toList());
    }

    private static Settings with(Settings settings, List<QuotaWindow> windows) {
        return new Settings(
                settings.upstream(),
                windows,
                settings.burst(),
                settings.maxInFlight(),
                settings.permitTtl(),
                settings.timeout(),
                settings.retryDelays(),
                settings.circuitBreaker(),
                settings.weights());
    }
}
