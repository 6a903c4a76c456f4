package dev.weir.throttler.simulation;

import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/**
 * What one seed means: a quota and how it changes, faults, and the jobs that come.
 *
 * @param settings from the start, and again at the end
 * @param length jobs come and things fail for so long; then it is quiet until every job has ended
 * @param jobs that come in all
 * @param waves in which they come
 * @param highestCost of a job
 * @param cancelled one job in so many; zero is none
 */
record Scenario(
        long seed,
        Settings settings,
        List<Change> changes,
        Faults faults,
        Duration length,
        int jobs,
        int waves,
        int tenants,
        int highestCost,
        int cancelled) {
    static final String UPSTREAM = "gemini";
    static final Duration LENGTH = Duration.ofHours(48);
    private static final int MOST_JOBS = 3000;
    private static final int MOST_CHANGES = 40;
    private static final Duration LONGEST_PAUSE = Duration.ofHours(4);

    /** Somebody changes the upstream, so long after the start. */
    record Change(Duration after, Settings settings, Control.Mode mode) {}

    static Scenario of(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        boolean roomy = random.nextInt(6) == 0;
        Settings settings = roomy ? Quotas.roomy(random) : Quotas.settings(random);
        List<Change> changes = roomy || random.nextBoolean() ? List.of() : changes(random, settings);
        boolean calm = random.nextInt(10) == 0;
        int highestCost = random.nextInt(5) < 3 ? 1 : (int) Math.min(settings.smallestBudget(), random.nextInt(2, 12));
        double perHour = settings.windows().stream()
                .mapToDouble(w -> w.budget() * 3600.0 / w.per().toSeconds())
                .min()
                .orElseThrow();
        double load = random.nextDouble(0.1, 1.2) * perHour * LENGTH.toHours() * 2 / (1 + highestCost);
        List<Settings> all = Stream.concat(Stream.of(settings), changes.stream().map(Change::settings))
                .toList();
        return new Scenario(
                seed,
                settings,
                changes,
                calm ? Faults.NONE : Faults.random(random, settings.timeout(), Quotas.clocksApart(all, highestCost)),
                LENGTH,
                (int) Math.max(20, Math.min(MOST_JOBS, load)),
                random.nextInt(1, 30),
                random.nextInt(1, 5),
                highestCost,
                (int) Faults.pick(random, 0, 0, 8, 50));
    }

    /** Up and down, windows come and go, pauses; the last one is how it was at first. */
    private static List<Change> changes(SplittableRandom random, Settings first) {
        List<Change> changes = new ArrayList<>();
        Settings settings = first;
        long[] times = random.longs(
                        random.nextInt(1, MOST_CHANGES),
                        0,
                        LENGTH.minus(LONGEST_PAUSE).toNanos())
                .sorted()
                .toArray();
        for (long time : times) {
            Duration after = Duration.ofNanos(time);
            if (random.nextInt(5) == 0) {
                Control.Mode mode = random.nextInt(4) == 0 ? Control.Mode.REMOVED : Control.Mode.PAUSED;
                changes.add(new Change(after, settings, mode));
                after = after.plusNanos(Chance.upTo(random, LONGEST_PAUSE));
            }
            settings = random.nextInt(8) == 0 ? first : Quotas.changed(random, settings);
            changes.add(new Change(after, settings, Control.Mode.RUNNING));
        }
        changes.add(new Change(LENGTH, first, Control.Mode.RUNNING));
        return changes;
    }
}
