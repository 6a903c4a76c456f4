package dev.weir.throttler;

import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.quota.Slot;
import dev.weir.throttler.upstream.ForwardRun;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * When so many jobs go under an upstream's windows, without running anything: the throttle's own recurrence, run forward.
 * Times count from the plan's start.
 *
 * @param waiting jobs that wait at the start
 * @param jobs those that come behind them, each of cost 1
 * @param drained when the last of the waiting ones goes; null when none waits
 * @param lastCall when the last of all goes
 * @param phases what happens until then, in order, without a gap
 * @param warning when the settings cannot keep that pace; null when they can
 */
public record Plan(
        String upstream,
        long waiting,
        long jobs,
        @Nullable Duration drained,
        Duration lastCall,
        List<Phase> phases,
        @Nullable String warning) {
    public static final long MAX_JOBS = 100_000_000;
    public static final Duration LONGEST = Duration.ofDays(36_500);

    /** A wait before the first job that is worth telling. */
    private static final Duration WORTH_TELLING = Duration.ofSeconds(1);

    /**
     * A stretch of the plan.
     *
     * @param heldBy {@code pace} while jobs go, else what holds them: a window ({@code PT1H}), {@code retry-after},
     *     {@code circuit} or {@code no-dispatcher}
     * @param from from the start on
     * @param to the next phase's start, or the last call
     * @param jobs that go in it; 0 while they are held
     */
    public record Phase(String heldBy, Duration from, Duration to, long jobs) {}

    public Plan {
        phases = List.copyOf(phases);
    }

    /**
     * Plans so many jobs of cost 1 from empty windows; the start is the first one's call.
     *
     * @throws IllegalArgumentException when {@code jobs} is not within 1 to {@link #MAX_JOBS}, or they take more than
     *     {@link #LONGEST}
     */
    public static Plan of(Settings settings, long jobs) {
        if (jobs < 1) {
            throw new IllegalArgumentException("expected 1 to " + MAX_JOBS + " jobs, but it is " + jobs);
        }
        return of(PlanStart.empty(settings), jobs);
    }

    /**
     * Plans the jobs that wait at the start, and so many of cost 1 behind them.
     *
     * @throws IllegalArgumentException when that is more than {@link #MAX_JOBS}, or takes more than {@link #LONGEST}
     */
    public static Plan of(PlanStart start, long jobs) {
        if (jobs < 0 || jobs > MAX_JOBS - start.cost()) {
            throw new IllegalArgumentException(
                    "expected 0 to " + Math.max(0, MAX_JOBS - start.cost()) + " jobs, but it is " + jobs);
        }
        Settings settings = start.settings();
        ForwardRun run = start.run();
        // A shorter wait is the pace itself, or its echo; only a longer one is a hold.
        long shortest = shortest(settings).per().toNanos();
        List<Phase> phases = new ArrayList<>();
        long phaseFrom = 0;
        long phaseJobs = 0;
        long last = 0;
        Duration drained = null;
        long permits = start.cost() + jobs;
        for (long done = 0; done < permits; ) {
            int cost = done < start.cost()
                    ? (int) Math.min(start.costs().next(), Math.min(settings.smallestBudget(), start.cost() - done))
                    : 1;
            Slot slot = run.next(cost);
            long at = slot.at() - start.at();
            if (at > LONGEST.toNanos()) {
                throw new IllegalArgumentException("permit " + (done + 1) + " of " + permits + " would go more than "
                        + LONGEST.toDays() / 365 + " years from now");
            }
            String hold = slot.heldBy();
            boolean held = at - last > shortest;
            if (done == 0 && !hold.equals(Slot.PACE)) {
                hold = hold.equals(Slot.NOTHING) && start.heldBy() != null ? start.heldBy() : hold;
                held = at > WORTH_TELLING.toNanos();
            }
            if (held) {
                if (phaseJobs > 0) {
                    phases.add(new Phase(Slot.PACE, nanos(phaseFrom), nanos(last), phaseJobs));
                }
                phases.add(new Phase(hold, nanos(last), nanos(at), 0));
                phaseFrom = at;
                phaseJobs = 0;
            }
            phaseJobs++;
            last = at;
            drained = done < start.cost() ? nanos(at) : drained;
            done += cost;
        }
        if (phaseJobs > 0) {
            phases.add(new Phase(Slot.PACE, nanos(phaseFrom), nanos(last), phaseJobs));
        }
        return new Plan(settings.upstream(), start.waiting(), jobs, drained, nanos(last), phases, warning(settings));
    }

    private static @Nullable String warning(Settings settings) {
        QuotaWindow pace = shortest(settings);
        long needed = Math.floorDiv(
                        pace.budget() * settings.timeout().toMillis() - 1,
                        pace.per().toMillis())
                + 1;
        if (needed <= settings.maxInFlight()) {
            return null;
        }
        return "maxInFlight " + settings.maxInFlight() + " is too small for " + pace.budget() + " per " + pace.per()
                + " if every call takes the whole timeout of " + settings.timeout() + ": " + needed
                + " calls would be open at once";
    }

    private static QuotaWindow shortest(Settings settings) {
        return settings.windows().stream()
                .min(Comparator.comparing(QuotaWindow::per))
                .orElseThrow();
    }

    private static Duration nanos(long nanos) {
        return Duration.ofNanos(nanos);
    }
}
