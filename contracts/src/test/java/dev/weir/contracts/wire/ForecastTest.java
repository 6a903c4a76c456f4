package dev.weir.contracts.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Weights;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ForecastTest {
    private static final Instant T0 = Instant.parse("2026-11-22T10:00:00Z");
    private static final long SECOND = Duration.ofSeconds(1).toNanos();
    private static final List<Forecast.BreakPoint> A_SECOND_EACH = List.of(new Forecast.BreakPoint(0, T0, SECOND));

    @Test
    void shouldFollowTheLineThatCoversThePermit() {
        Forecast forecast = forecast(
                List.of(
                        new Forecast.BreakPoint(0, T0, SECOND),
                        new Forecast.BreakPoint(10, T0.plusSeconds(3600), 2 * SECOND)),
                null);

        assertThat(forecast.timeOfPermit(0)).isEqualTo(T0);
        assertThat(forecast.timeOfPermit(9)).isEqualTo(T0.plusSeconds(9));
        assertThat(forecast.timeOfPermit(10)).isEqualTo(T0.plusSeconds(3600));
        assertThat(forecast.timeOfPermit(12)).isEqualTo(T0.plusSeconds(3604));
    }

    @Test
    void shouldGoRoundAndRound_whenThePermitLiesBeyondTheLines() {
        Forecast.Cycle cycle = new Forecast.Cycle(15, 10, Duration.ofHours(1));
        Forecast forecast = forecast(
                List.of(
                        new Forecast.BreakPoint(0, T0, 0),
                        new Forecast.BreakPoint(5, T0.plusSeconds(100), SECOND),
                        new Forecast.BreakPoint(10, T0.plusSeconds(1000), SECOND)),
                cycle);

        assertThat(forecast.timeOfPermit(14)).isEqualTo(T0.plusSeconds(1004));
        assertThat(forecast.timeOfPermit(15)).isEqualTo(T0.plusSeconds(3600 + 100));
        assertThat(forecast.timeOfPermit(24)).isEqualTo(T0.plusSeconds(3600 + 1004));
        assertThat(forecast.timeOfPermit(25)).isEqualTo(T0.plusSeconds(2 * 3600 + 100));
        assertThat(forecast.timeOfPermit(Long.MAX_VALUE / 2)).isAfter(T0.plus(Duration.ofDays(36_000)));
    }

    @Test
    void shouldCountWhatOthersTakeBefore_byWeight() {
        Forecast forecast = forecast(
                A_SECOND_EACH,
                null,
                Forecast.Lane.of("heavy", Priority.NORMAL, 0, 100, 3, 1.0 / 3),
                Forecast.Lane.of("light", Priority.NORMAL, 0, 100, 1, 1));

        // heavy 1/3, 2/3, 1; light 1: of the same turn, names decide
        assertThat(eta(forecast, "heavy", 2, 2L)).isEqualTo(T0.plusSeconds(2));
        assertThat(eta(forecast, "light", 0, 0L)).isEqualTo(T0.plusSeconds(3));
        assertThat(eta(forecast, "heavy", 3, 3L)).isEqualTo(T0.plusSeconds(4));
        assertThat(eta(forecast, "light", 10, 10L)).isEqualTo(T0.plusSeconds(43));
    }

    @Test
    void shouldCountCostsAndNotJobs_whenTheJobKnowsItsPlaceInCosts() {
        Forecast.Lane lane = new Forecast.Lane("a", Priority.HIGH, 5, 15, 10, 100, 40, 140, 1, 7, 1, 6);
        Forecast forecast = forecast(A_SECOND_EACH, null, lane);

        assertThat(forecast.etaOfQueuedJob("a", Priority.HIGH, 6, 131L)).isEqualTo(T0.plusSeconds(91));
        assertThat(forecast.etaOfQueuedJob("a", Priority.HIGH, 6, null)).isEqualTo(T0.plusSeconds(10));
        assertThat(forecast.etaOfQueuedJob("a", Priority.HIGH, 15, 140L)).isNull();
    }

    @Test
    void shouldLeaveOutThoseWhoWereTakenOut() {
        Forecast.Lane everyOtherIsGone = new Forecast.Lane("a", Priority.LOW, 0, 100, 50, 50, 0, 100, 1, 0, 1, 0.5);

        assertThat(forecast(A_SECOND_EACH, null, everyOtherIsGone).etaOfQueuedJob("a", Priority.LOW, 60, 60L))
                .isEqualTo(T0.plusSeconds(30));
    }

    @Test
    void shouldStartWhereTheTurnsStand_whenALaneIsNew() {
        Forecast forecast = forecast(A_SECOND_EACH, null, Forecast.Lane.of("a", Priority.NORMAL, 0, 1000, 2, 90.5));

        // a's next turns: 90.5, 91 …; a new lane of weight 2 at virtual time 90 has its first turn at 90.5, a newcomer
        // of
        // cost 4 at 92
        assertThat(forecast.etaOfNewJob("b", Priority.NORMAL, 1)).isEqualTo(T0.plusSeconds(1));
        assertThat(forecast.etaOfNewJob("b", Priority.NORMAL, 4)).isEqualTo(T0.plusSeconds(4 + 3));
        assertThat(forecast.etaOfNewJob("a", Priority.NORMAL, 1)).isEqualTo(T0.plusSeconds(1000));
    }

    private static @Nullable Instant eta(Forecast forecast, String tenant, long seq, long laneCost) {
        return forecast.etaOfQueuedJob(tenant, Priority.NORMAL, seq, laneCost);
    }

    private static Forecast forecast(
            List<Forecast.BreakPoint> lines, Forecast.@Nullable Cycle cycle, Forecast.Lane... lanes) {
        return new Forecast(
                Forecast.VERSION,
                "gemini",
                T0,
                "running",
                null,
                "closed",
                false,
                0,
                new Weights(Map.of(), new Weights.Priorities(4, 2, 1)),
                List.of(),
                new Forecast.Queue(0, 0, 0, 0, 0, null, null),
                90,
                List.of(lanes),
                lines,
                cycle,
                null);
    }
}
