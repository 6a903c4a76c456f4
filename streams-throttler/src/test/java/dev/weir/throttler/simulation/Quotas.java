package dev.weir.throttler.simulation;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/** Random settings, small enough that a few thousand calls fill their windows. */
final class Quotas {
    private static final int MOST_WINDOWS = 4;
    private static final int LOWEST_LIMIT = 4;
    private static final int HIGHEST_LIMIT = 2000;
    private static final Duration LONGEST = Duration.ofDays(1);
    private static final long MAX_CLOCK_OFF = Duration.ofSeconds(1).toNanos();
    private static final List<List<Duration>> RETRIES = List.of(
            List.of(Duration.ofMinutes(5), Duration.ofMinutes(15)),
            List.of(),
            List.of(Duration.ZERO),
            List.of(Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ofHours(1)));

    private Quotas() {}

    static Settings settings(SplittableRandom random) {
        return other(random, windows(random), weights(random));
    }

    /** So much between budget and limit that clocks may be apart. */
    static Settings roomy(SplittableRandom random) {
        long limit = random.nextLong(40, 200);
        Duration per = Duration.ofSeconds(random.nextLong(30, 120));
        QuotaWindow shortest = new QuotaWindow(per, limit, limit / random.nextLong(2, 4));
        QuotaWindow longest = new QuotaWindow(per.multipliedBy(20), limit * 15, shortest.budget() * 10);
        return new Settings(
                Scenario.UPSTREAM,
                random.nextBoolean() ? List.of(shortest) : List.of(shortest, longest),
                random.nextInt(10),
                300,
                Duration.ofSeconds(3),
                Duration.ofSeconds(30),
                RETRIES.get(0),
                CircuitBreakerSettings.DEFAULT,
                weights(random));
    }

    /** The same upstream after somebody has changed one thing. */
    static Settings changed(SplittableRandom random, Settings before) {
        List<QuotaWindow> windows = new ArrayList<>(before.windows());
        switch (random.nextInt(6)) {
            case 0 -> windows.replaceAll(scaled(random.nextDouble(0.1, 0.9)));
            case 1 -> windows.replaceAll(scaled(random.nextDouble(1.1, 5)));
            case 2 -> {
                if (windows.size() > 1) {
                    windows.remove(random.nextInt(windows.size()));
                }
            }
            case 3 -> {
                List<QuotaWindow> others = windows(random);
                QuotaWindow added = others.get(random.nextInt(others.size()));
                if (windows.stream().noneMatch(w -> w.per().equals(added.per()))) {
                    windows.add(added);
                }
            }
            case 4 -> {
                return with(before, windows, weights(random));
            }
            default -> {
                return other(random, windows, before.weights());
            }
        }
        return with(before, windows, before.weights());
    }

    private static UnaryOperator<QuotaWindow> scaled(double by) {
        return w -> {
            long limit = Math.max(LOWEST_LIMIT, Math.min(HIGHEST_LIMIT, Math.round(w.limit() * by)));
            return new QuotaWindow(w.per(), limit, Math.max(1, limit * w.budget() / w.limit()));
        };
    }

    /** From one to four windows, from a second to a day, each longer one with the lower rate. */
    private static List<QuotaWindow> windows(SplittableRandom random) {
        double utilization = random.nextInt(3) == 0 ? 1.0 : random.nextInt(2) == 0 ? 0.9 : random.nextDouble(0.3, 1);
        double perSeconds = Math.round(spread(random, 1, 120) * 10) / 10.0;
        double limit = spread(random, LOWEST_LIMIT, 120);
        List<QuotaWindow> windows = new ArrayList<>();
        int many = random.nextInt(1, MOST_WINDOWS + 1);
        for (int i = 0; i < many && perSeconds <= LONGEST.toSeconds(); i++) {
            long whole = Math.max(LOWEST_LIMIT, Math.round(limit));
            Duration per = Duration.ofMillis(Math.round(perSeconds * 1000));
            windows.add(new QuotaWindow(per, whole, (long) Math.floor(whole * utilization)));
            double factor = spread(random, 2, 60);
            perSeconds = Math.round(perSeconds * factor);
            limit = Math.min(HIGHEST_LIMIT, limit * Math.max(1, factor * random.nextDouble(0.2, 1)));
        }
        return windows;
    }

    private static Settings with(Settings before, List<QuotaWindow> windows, Weights weights) {
        return new Settings(
                before.upstream(),
                windows,
                before.burst(),
                before.maxInFlight(),
                before.permitTtl(),
                before.timeout(),
                before.retryDelays(),
                before.circuitBreaker(),
                weights);
    }

    private static Settings other(SplittableRandom random, List<QuotaWindow> windows, Weights weights) {
        return new Settings(
                Scenario.UPSTREAM,
                windows,
                random.nextInt(4) == 0 ? 0 : random.nextInt(1, 40),
                random.nextInt(3) == 0 ? random.nextInt(1, 20) : 300,
                Duration.ofMillis((long) spread(random, 500, 20_000)),
                Duration.ofMillis((long) spread(random, 2000, 120_000)),
                RETRIES.get(random.nextInt(RETRIES.size())),
                new CircuitBreakerSettings(
                        random.nextInt(1, 10), Duration.ofSeconds((long) spread(random, 5, 120)), random.nextInt(1, 5)),
                weights);
    }

    private static Weights weights(SplittableRandom random) {
        return random.nextBoolean()
                ? Weights.DEFAULT
                : new Weights(
                        Map.of("tenant-0", random.nextInt(1, 6), "tenant-1", random.nextInt(1, 20)),
                        new Weights.Priorities(random.nextInt(1, 20), random.nextInt(1, 6), random.nextInt(1, 3)));
    }

    /**
     * How far from the true time a dispatcher's clock may be: nothing where a window has no headroom, for there the design
     * takes a clock's word for when a call arrived. Else so far that what may come closer together by that, at the highest
     * pace, still fits between budget and limit.
     */
    static Duration clocksApart(List<Settings> all, int highestCost) {
        double pace = 0;
        long burst = 0;
        long ttl = 0;
        for (Settings settings : all) {
            QuotaWindow shortest = shortest(settings.windows());
            pace = Math.max(pace, shortest.budget() / (double) shortest.per().toNanos());
            burst = Math.max(burst, settings.burst());
            ttl = Math.max(ttl, settings.permitTtl().toNanos());
        }
        double apart = 2.0 * MAX_CLOCK_OFF;
        for (Settings settings : all) {
            for (QuotaWindow window : settings.windows()) {
                double headroom = window.limit() - window.budget() - burst - 2.0 * highestCost;
                apart = Math.min(apart, headroom / pace - ttl - Agenda.SECOND);
            }
        }
        return Duration.ofNanos((long) Math.max(0, apart / 2));
    }

    /** The shortest window of these, which sets the pace. */
    static QuotaWindow shortest(List<QuotaWindow> windows) {
        return windows.stream().min(Comparator.comparing(QuotaWindow::per)).orElseThrow();
    }

    /** As likely to lie in any doubling of the range as in another. */
    private static double spread(SplittableRandom random, double from, double to) {
        return from * Math.pow(to / from, random.nextDouble());
    }
}
