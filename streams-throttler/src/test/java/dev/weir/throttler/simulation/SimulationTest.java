package dev.weir.throttler.simulation;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Two days in virtual time, a few hundred times. {@code -Dweir.seed=N} runs one seed again, {@code -Dweir.runs=N} more. */
class SimulationTest {
    static List<Long> seeds() {
        String seed = System.getProperty("weir.seed");
        if (seed != null) {
            return List.of(Long.parseLong(seed));
        }
        return new SplittableRandom(20261122)
                .longs(Integer.getInteger("weir.runs", 200))
                .map(n -> n >>> 32)
                .boxed()
                .toList();
    }

    @ParameterizedTest(name = "-Dweir.seed={0}")
    @MethodSource("seeds")
    @Execution(ExecutionMode.CONCURRENT)
    void shouldHoldEveryInvariantForTwoDays_whateverFails(long seed) {
        Simulation simulation = new Simulation(Scenario.of(seed));

        simulation.run();
    }
}
