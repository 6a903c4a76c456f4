package dev.weir.throttler;

import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.quota.Slot;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How long so many jobs take under an upstream's windows, without running anything: the throttle's own recurrence, run
 * forward from empty windows.
 *
 * @param lastCall when the last job's permit comes, from the first one's
 * @param phases what happens until then, in order, without a gap
 * @param warning when the settings cannot keep that pace; null when they can
 */
public record Plan(
        String upstream,
        long jobs,
        Duration lastCall,
        List<Phase> phases,
        @Nullable String warning) {
    public static final long MAX_JOBS = 100_000_000;
    public static final Duration LONGEST = Duration.ofDays(36_500);
    private static final int FORGET_PER_JOB = 4;

    /**
     * A stretch of the plan.
     *
     * @param heldBy {@code pace} while jobs go, else the window that holds them ({@code PT1H})
     * @param from from the first permit on
     * @param to the next phase's start, or the last call
     * @param jobs that go in it; 0 while a window holds them
     */
    public record Phase(String heldBy, Duration from, Duration to, long jobs) {}

    public Plan {
        phases = List.copyOf(phases);
    }

    /**
     * Plans so many jobs of cost 1.
     *
     * @throws IllegalArgumentException when {@code jobs} is not within 1 to {@link #MAX_JOBS}, or they take more than
     *     {@link #LONGEST}
     */
    public static Plan of(Settings settings, long jobs) {
        if (jobs < 1 || jobs > MAX_JOBS) {
            throw new IllegalArgumentException("expected 1 to " + MAX_JOBS + " jobs, but it is " + jobs);
        }
        PermitLog log = new PermitLog(settings.windows(), settings.burst());
        // A shorter wait is the pace itself, or its echo; only a longer one is a hold.
        long shortest = shortest(settings).per().toNanos();
        List<Phase> phases = new ArrayList<>();
        long phaseFrom = 0;
        long phaseJobs = 0;
        long last = 0;
        for (long n = 0; n < jobs; n++) {
            Slot slot = log.earliest(last, 1);
            if (slot.at() > LONGEST.toNanos()) {
                throw new IllegalArgumentException("job " + (n + 1) + " of " + jobs + " would go more than "
                        + LONGEST.toDays() / 365 + " years from now");
            }
            if (slot.at() - last > shortest) {
                phases.add(new Phase(Slot.PACE, nanos(phaseFrom), nanos(last), phaseJobs));
                phases.add(new Phase(slot.heldBy(), nanos(last), nanos(slot.at()), 0));
                phaseFrom = slot.at();
                phaseJobs = 0;
            }
            log.take(slot.at(), 1, slot.at());
            log.forget(slot.at(), FORGET_PER_JOB);
            phaseJobs++;
            last = slot.at();
        }
        phases.add(new Phase(Slot.PACE, nanos(phaseFrom), nanos(last), phaseJobs));
        return new Plan(settings.upstream(), jobs, nanos(last), phases, warning(settings));
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
