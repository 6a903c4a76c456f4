package dev.weir.throttler.simulation;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What one seed means: a quota, faults, and the jobs that come.
 *
 * @param length jobs come and things fail for so long; then it is quiet until every job has ended
 * @param jobs that come in all
 * @param waves in which they come
 * @param highestCost of a job
 */
record Scenario(
        long seed,
        Settings settings,
        Faults faults,
        Duration length,
        int jobs,
        int waves,
        int tenants,
        int highestCost) {
    static final String UPSTREAM = "gemini";
    static final Duration LENGTH = Duration.ofHours(48);
    private static final int MOST_JOBS = 3000;
    private static final int MOST_WINDOWS = 4;
    private static final int HIGHEST_LIMIT = 2000;
    private static final Duration DAY = Duration.ofDays(1);
    private static final List<List<Duration>> RETRIES = List.of(
            List.of(Duration.ofMinutes(5), Duration.ofMinutes(15)),
            List.of(),
            List.of(Duration.ZERO),
            List.of(Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ofHours(1)));

    static Scenario of(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Settings settings = settings(random, windows(random));
        boolean calm = random.nextInt(10) == 0;
        int highestCost = random.nextInt(5) < 3 ? 1 : (int) Math.min(settings.smallestBudget(), random.nextInt(2, 12));
        double perHour = settings.windows().stream()
                .mapToDouble(w -> w.budget() * 3600.0 / w.per().toSeconds())
                .min()
                .orElseThrow();
        double load = random.nextDouble(0.1, 1.2) * perHour * LENGTH.toHours() * 2 / (1 + highestCost);
        return new Scenario(
                seed,
                settings,
                calm ? Faults.NONE : Faults.random(random, settings.timeout()),
                LENGTH,
                (int) Math.max(20, Math.min(MOST_JOBS, load)),
                random.nextInt(1, 30),
                random.nextInt(1, 5),
                highestCost);
    }

    /** From one to four windows, from a second to a day, each longer one with the lower rate. */
    static List<QuotaWindow> windows(SplittableRandom random) {
        double utilization = random.nextInt(3) == 0 ? 1.0 : random.nextInt(2) == 0 ? 0.9 : random.nextDouble(0.3, 1);
        double perSeconds = Math.round(spread(random, 1, 120) * 10) / 10.0;
        double limit = spread(random, 4, 120);
        List<QuotaWindow> windows = new ArrayList<>();
        int many = random.nextInt(1, MOST_WINDOWS + 1);
        for (int i = 0; i < many && perSeconds <= DAY.toSeconds(); i++) {
            long whole = Math.max(4, Math.round(limit));
            windows.add(new QuotaWindow(
                    Duration.ofMillis(Math.round(perSeconds * 1000)), whole, (long) Math.floor(whole * utilization)));
            double factor = spread(random, 2, 60);
            perSeconds = Math.round(perSeconds * factor);
            limit = Math.min(HIGHEST_LIMIT, limit * Math.max(1, factor * random.nextDouble(0.2, 1)));
        }
        return windows;
    }

    static Settings settings(SplittableRandom random, List<QuotaWindow> windows) {
        return new Settings(
                UPSTREAM,
                windows,
                random.nextInt(4) == 0 ? 0 : random.nextInt(1, 40),
                random.nextInt(3) == 0 ? random.nextInt(1, 20) : 300,
                Duration.ofMillis((long) spread(random, 500, 20_000)),
                Duration.ofMillis((long) spread(random, 2000, 120_000)),
                RETRIES.get(random.nextInt(RETRIES.size())),
                new CircuitBreakerSettings(
                        random.nextInt(1, 10),
                        Duration.ofSeconds((long) spread(random, 5, 120)),
                        random.nextInt(1, 5)));
    }

    /** The shortest window of these, which sets the pace. */
    static QuotaWindow shortest(List<QuotaWindow> windows) {
        return windows.stream().min(Comparator.comparing(QuotaWindow::per)).orElseThrow();
    }

    /** As likely to lie in any doubling of the range as in another. */
    static double spread(SplittableRandom random, double from, double to) {
        return from * Math.pow(to / from, random.nextDouble());
    }
}
