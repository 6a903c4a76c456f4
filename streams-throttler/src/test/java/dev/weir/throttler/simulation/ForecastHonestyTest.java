package dev.weir.throttler.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** What a forecast and a job's own event say of its call, without asking the throttle, against what then happens. */
class ForecastHonestyTest {
    private static final Duration A_SECOND = Duration.ofSeconds(1);
    private static final int ASKED = 20_000;
    private static final int NEIGHBOURS = 5;
    private static final List<QuotaWindow> FAST = List.of(
            new QuotaWindow(Duration.ofMinutes(1), 11_112, 10_000),
            new QuotaWindow(Duration.ofHours(1), 500_000, 450_000));

    @Test
    void shouldTellPlaceAndTimeOfAnyOfAMillionJobs_whenTenantsWeightsAndCostsDiffer() {
        long seed = Long.getLong("weir.seed", 3);
        SplittableRandom random = new SplittableRandom(seed);
        Outlet outlet =
                new Outlet(settings(FAST, 300, Map.of("tenant-0", 3, "tenant-1", 7, "tenant-2", 20)), 1_000_000);
        for (int i = 0; i < 1_000_000; i++) {
            int tenant = random.nextInt(7);
            outlet.submit(
                    "tenant-" + tenant,
                    Priority.values()[random.nextInt(3)],
                    tenant < 2 ? 3 - tenant : 1 + random.nextInt(5));
        }
        outlet.run(Duration.ofMinutes(2));
        Forecast forecast = outlet.forecast();

        Instant last = outlet.runUntilDrained();

        assertHonest(outlet, forecast, random, "-Dweir.seed=" + seed);
        assertThat(forecast.queue().drainedAt()).isBetween(last.minus(A_SECOND), last.plus(A_SECOND));
    }

    @Test
    void shouldTellTheTime_whenThreeThousandLanesHaveTheirTurns() {
        SplittableRandom random = new SplittableRandom(4);
        Outlet outlet = new Outlet(
                settings(List.of(new QuotaWindow(Duration.ofMinutes(1), 1000, 900)), 300, Map.of("t-1", 7, "t-2", 20)),
                150_000);
        for (int i = 0; i < 150_000; i++) {
            outlet.submit("t-" + random.nextInt(1000), Priority.values()[random.nextInt(3)], 1);
        }
        outlet.run(Duration.ofMinutes(2));
        Forecast forecast = outlet.forecast();

        outlet.runUntilDrained();

        assertThat(forecast.lanes()).hasSize(3000);
        assertHonest(outlet, forecast, random, "");
    }

    @Test
    void shouldTellTheTime_whenTheWholeLimitIsUsedAndCallsAreOut() {
        SplittableRandom random = new SplittableRandom(5);
        Outlet outlet = new Outlet(
                settings(List.of(new QuotaWindow(Duration.ofMinutes(1), 9000, 9000)), 300, Map.of()), 100_000);
        for (int i = 0; i < 100_000; i++) {
            outlet.submit("t-" + random.nextInt(3), Priority.NORMAL, 1 + random.nextInt(3));
        }
        outlet.run(Duration.ofSeconds(90));
        Forecast forecast = outlet.forecast();

        outlet.runUntilDrained();

        assertHonest(outlet, forecast, random, "");
    }

    @Test
    void shouldTellTheTime_whenEveryOtherJobOfALaneWasCancelled() {
        SplittableRandom random = new SplittableRandom(6);
        Outlet outlet = new Outlet(settings(FAST, 300, Map.of("t-1", 3)), 60_000);
        for (int i = 0; i < 60_000; i++) {
            outlet.submit("t-" + i % 3, Priority.NORMAL, 2);
        }
        outlet.run(Duration.ofSeconds(30));
        for (int i = 1; i < 60_000; i += 6) {
            outlet.cancel(i);
        }
        Forecast forecast = outlet.forecast();

        outlet.runUntilDrained();

        assertHonest(outlet, forecast, random, "");
    }

    /**
     * Where a window is spent a job goes now or an hour later, and which of the two may hang on one permit: a job is also
     * where it was told when its nearest neighbours are.
     */
    private static void assertHonest(Outlet outlet, Forecast forecast, SplittableRandom random, String seed) {
        Instant[] inOrder =
                Arrays.stream(outlet.slots).filter(Objects::nonNull).sorted().toArray(Instant[]::new);
        Duration worst = Duration.ZERO;
        for (int i = 0; i < ASKED; i++) {
            int job = random.nextInt(outlet.slots.length);
            JobEvent event = Objects.requireNonNull(outlet.journal.queued[job]);
            Instant eta = forecast.etaOfQueuedJob(
                    Objects.requireNonNull(event.lane()),
                    event.priority(),
                    Objects.requireNonNull(event.laneSeq()),
                    event.laneCost());
            Instant slot = outlet.slots[job];
            if (slot != null && slot.isAfter(forecast.at().plus(Throttle.AHEAD))) {
                int place = Arrays.binarySearch(inOrder, slot);
                Instant from = inOrder[Math.max(0, place - NEIGHBOURS)];
                Instant to = inOrder[Math.min(inOrder.length - 1, place + NEIGHBOURS)];
                Instant told = Objects.requireNonNull(eta);
                Duration off = told.isBefore(from) ? Duration.between(told, from) : Duration.between(to, told);
                worst = off.compareTo(worst) > 0 ? off : worst;
            }
        }
        assertThat(worst).as("the worst of %d ETAs %s", ASKED, seed).isLessThan(A_SECOND);
    }

    private static Settings settings(List<QuotaWindow> windows, int maxInFlight, Map<String, Integer> tenants) {
        return new Settings(
                "gemini",
                windows,
                15,
                maxInFlight,
                Duration.ofSeconds(3),
                Duration.ofSeconds(30),
                List.of(),
                CircuitBreakerSettings.DEFAULT,
                new Weights(tenants, Weights.DEFAULT.priorities()));
    }
}
