package dev.weir.throttler.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Days of which every figure is known beforehand, at a fiftieth of a usual quota. The referee checks each step of them too. */
class WholeDayTest {
    private static final Duration DAY = Duration.ofDays(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final QuotaWindow EIGHTEEN = new QuotaWindow(MINUTE, 20, 18);
    private static final List<QuotaWindow> A_FIFTIETH =
            List.of(EIGHTEEN, new QuotaWindow(Duration.ofHours(1), 1000, 900), new QuotaWindow(DAY, 10_000, 9000));
    private static final int RESTARTS = 100;

    @Test
    void shouldReleaseTheBudgetExactly_whenNothingFails() {
        Simulation simulation = simulation(A_FIFTIETH, Faults.NONE);
        simulation.submit(10_000);

        simulation.runFor(DAY.plusHours(2));
        simulation.runUntilAllHaveEnded();

        long first = simulation.referee().quota().given().get(0).slot;
        for (int minute = 0; minute < 50; minute++) {
            assertThat(slots(simulation, first + minute * MINUTE.toNanos(), MINUTE))
                    .isEqualTo(18);
        }
        assertThat(slots(simulation, first + 50 * MINUTE.toNanos(), Duration.ofMinutes(10)))
                .isZero();
        assertThat(slots(simulation, first, DAY)).isEqualTo(9000);
        assertThat(simulation.upstream().arrivals()).hasSize(10_000);
    }

    @Test
    void shouldHoldTheLimitAndLoseLittle_whenUtilizationIsOne() {
        List<QuotaWindow> full = List.of(
                new QuotaWindow(Duration.ofSeconds(6), 90, 90),
                new QuotaWindow(MINUTE, 400, 400),
                new QuotaWindow(Duration.ofHours(1), 5000, 5000));
        Simulation simulation = simulation(full, Faults.NONE);
        simulation.submit(20_000);

        simulation.runFor(Duration.ofHours(3));

        // The limit by arrivals leaves a gap of the answers' time in each window.
        assertThat(simulation.upstream().arrivals()).hasSizeBetween(14_800, 15_000);
        simulation.runUntilAllHaveEnded();
    }

    @Test
    void shouldLoseNothingAndReleaseAllThatTheWindowsAllow_whenItIsRestartedAHundredTimesInADay() {
        long first = restartAHundredTimes(A_FIFTIETH, 10_000, 9000, Duration.ofSeconds(20));

        assertThat(first).isPositive();
    }

    @Test
    void shouldMakeUpWhatWasMissed_whenEachOfAHundredRestartsIsShorterThanTheBurst() {
        // At 18 a minute 15 permits are fifty seconds, and this window leaves the room to make them up before it moves
        // on.
        QuotaWindow roomy = new QuotaWindow(Duration.ofMinutes(48), 960, 864);
        long first = restartAHundredTimes(List.of(roomy), 28_000, 24 * 60 * 18, Duration.ofSeconds(20));

        assertThat(first).isPositive();
    }

    private static long restartAHundredTimes(List<QuotaWindow> windows, int jobs, int allowed, Duration longestDown) {
        Simulation simulation = simulation(windows, Faults.clockOffBy(Duration.ofMillis(500)));
        SplittableRandom random = new SplittableRandom(RESTARTS);
        long part = DAY.toNanos() / RESTARTS;
        for (int i = 0; i < RESTARTS; i++) {
            long at = i * part + random.nextLong(part - longestDown.toNanos() - MINUTE.toNanos());
            long down = random.nextLong(longestDown.toNanos());
            simulation.at(Duration.ofNanos(at), () -> simulation.host().crash(down));
        }
        simulation.submit(jobs);

        simulation.runFor(DAY);
        simulation.runUntilAllHaveEnded();

        assertThat(simulation.host().restarts()).isEqualTo(RESTARTS);
        long first = simulation.referee().quota().given().get(0).slot;
        assertThat(slots(simulation, first, DAY)).isBetween(allowed - allowed / 1000L, (long) allowed);
        assertThat(simulation.referee().jobs().all())
                .hasSize(jobs)
                .allSatisfy(job -> assertThat(job.status).isEqualTo(JobStatus.SUCCEEDED));
        assertThat(simulation.upstream().arrivals()).hasSize(jobs);
        return first;
    }

    private static long slots(Simulation simulation, long from, Duration time) {
        return simulation.referee().quota().given().stream()
                .filter(g -> g.cost > 0 && g.slot >= from && g.slot < from + time.toNanos())
                .count();
    }

    private static Simulation simulation(List<QuotaWindow> windows, Faults faults) {
        Settings settings = new Settings(
                Scenario.UPSTREAM,
                windows,
                15,
                300,
                Duration.ofSeconds(3),
                Duration.ofSeconds(30),
                List.of(Duration.ofMinutes(5), Duration.ofMinutes(15)),
                CircuitBreakerSettings.DEFAULT,
                Weights.DEFAULT);
        return new Simulation(new Scenario(1, settings, List.of(), faults, DAY, 0, 1, 2, 1, 0));
    }
}
