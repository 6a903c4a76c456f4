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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole days in virtual time. {@code -Dweir.seed=N} runs one seed again, {@code -Dweir.runs=N} more of them. */
class SimulationTest {
    private static final List<QuotaWindow> SMALL_AND_FULL = List.of(
            new QuotaWindow(Duration.ofSeconds(6), 90, 90),
            new QuotaWindow(Duration.ofSeconds(60), 400, 400),
            new QuotaWindow(Duration.ofHours(1), 5000, 5000));
    private static final List<QuotaWindow> NINE_HUNDRED = List.of(
            new QuotaWindow(Duration.ofMinutes(1), 1000, 900),
            new QuotaWindow(Duration.ofHours(1), 50_000, 45_000),
            new QuotaWindow(Duration.ofDays(1), 500_000, 450_000));

    @Test
    void shouldHoldEveryWindowForAWholeDay_whenUtilizationIsOne() {
        Simulation simulation = new Simulation(settings(SMALL_AND_FULL), Simulation.Faults.NONE, 1);
        simulation.submit(130_000);

        simulation.run(Duration.ofDays(1));

        assertThat(simulation.mostSlotsWithin(Duration.ofSeconds(6))).isEqualTo(90);
        assertThat(simulation.mostSlotsWithin(Duration.ofSeconds(60))).isEqualTo(400);
        assertThat(simulation.mostSlotsWithin(Duration.ofHours(1))).isEqualTo(5000);
        // The limit by arrivals leaves a gap of the answers' time each window, so a little less than 24 * 5,000 +
        // 5,000.
        assertThat(simulation.arrivals).hasSizeGreaterThan(119_000);
        assertThat(simulation.ends.values()).containsOnly(JobStatus.SUCCEEDED);
    }

    @Test
    void shouldReleaseTheBudgetExactly_whenUtilizationLeavesRoom() {
        Simulation simulation = new Simulation(settings(NINE_HUNDRED), Simulation.Faults.NONE, 1);
        simulation.submit(50_000);

        simulation.run(Duration.ofMinutes(90));

        long first = simulation.slots.get(0)[0];
        for (int minute = 0; minute < 50; minute++) {
            long from = first + Duration.ofMinutes(minute).toNanos();
            long to = from + Duration.ofMinutes(1).toNanos();
            assertThat(simulation.slots.stream()
                            .filter(s -> s[0] >= from && s[0] < to)
                            .count())
                    .isEqualTo(900);
        }
        assertThat(simulation.calls).hasSize(50_000);
        assertThat(simulation.calls.values()).containsOnly(1);
    }

    static List<Long> seeds() {
        String seed = System.getProperty("weir.seed");
        if (seed != null) {
            return List.of(Long.parseLong(seed));
        }
        return new SplittableRandom(42)
                .longs(Integer.getInteger("weir.runs", 40))
                .boxed()
                .toList();
    }

    /** Simulation checks the windows and the revisions after every step. */
    @ParameterizedTest(name = "-Dweir.seed={0}")
    @MethodSource("seeds")
    void shouldNeverBeOverAndLoseNothing_whateverFails(long seed) {
        boolean small = seed % 2 == 0;
        Simulation simulation =
                new Simulation(settings(small ? SMALL_AND_FULL : NINE_HUNDRED), Simulation.Faults.MANY, seed);
        for (int wave = 0; wave < 3; wave++) {
            simulation.submit(600);
            simulation.run(Duration.ofMinutes(20));
        }

        simulation.run(Duration.ofHours(24));

        assertThat(simulation.ends).hasSize(simulation.submitted());
    }

    private static Settings settings(List<QuotaWindow> windows) {
        return new Settings(
                "gemini",
                windows,
                15,
                300,
                Duration.ofSeconds(3),
                Duration.ofSeconds(30),
                List.of(Duration.ofMinutes(5), Duration.ofMinutes(15)),
                CircuitBreakerSettings.DEFAULT,
                Weights.DEFAULT);
    }
}
