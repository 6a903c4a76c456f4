package dev.weir.throttler;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Costs;
import dev.weir.throttler.upstream.ForwardRun;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Throttle;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a plan starts from; good for one plan, which uses it up.
 *
 * @param settings to plan by
 * @param run through the permits that were given already
 * @param at the plan's start, epoch nanoseconds
 * @param heldBy what holds everything at the start, whatever room the windows have; null when nothing does
 * @param waiting jobs that wait then
 * @param cost permits that they need
 * @param costs one by one
 */
public record PlanStart(
        Settings settings,
        ForwardRun run,
        long at,
        @Nullable String heldBy,
        long waiting,
        long cost,
        Costs costs) {
    private static final Set<String> HOLDS = Set.of("retry-after", "circuit", "no-dispatcher");

    /** Empty windows, and nobody waits. */
    static PlanStart empty(Settings settings) {
        PermitLog log = new PermitLog(settings.windows(), settings.burst());
        return new PlanStart(settings, new ForwardRun(log, 0, 0, 0), 0, null, 0, 0, Costs.ofNothing());
    }

    /**
     * What a forecast tells of: what the windows hold, who waits, and what holds everything. A paused upstream is planned as
     * if it went on now.
     *
     * @param inForce the settings by which the forecast was made
     * @param whatIf those to plan by, taken into force at the start
     * @param assumeUnused whether a window longer than any kept so far counts its unknown past as nothing, not as full
     * @param now of the plan, if it does not start with the forecast
     * @throws IllegalArgumentException when the forecast does not tell enough, or other settings are in force
     */
    public static PlanStart of(
            Forecast forecast, Settings inForce, Settings whatIf, boolean assumeUnused, Instant now) {
        Forecast.Basis basis = forecast.basis();
        if (basis == null) {
            throw new IllegalArgumentException("the forecast does not tell what was permitted before");
        }
        List<QuotaWindow> told = forecast.windows().stream()
                .map(w -> new QuotaWindow(w.per(), w.limit(), w.budget()))
                .toList();
        if (!Set.copyOf(told).equals(Set.copyOf(inForce.windows()))) {
            throw new IllegalArgumentException("the settings are being changed just now");
        }
        PermitLog log = rebuilt(basis, inForce);
        if (assumeUnused) {
            log.assumeUnused();
        }
        log.configure(whatIf.windows(), whatIf.burst());
        // A forecast at rest may be some seconds old; where jobs go, it is the moment from which its own times count.
        boolean goes = forecast.queue().waiting() > 0 && !forecast.state().equals(Forecast.PAUSED);
        long at = EpochNanos.of(goes || forecast.at().isAfter(now) ? forecast.at() : now);
        long notBefore = Math.max(EpochNanos.of(basis.notBefore()), at + Throttle.LEAD.toNanos());
        long gapNs = basis.endedAfter().toNanos() / whatIf.maxInFlight();
        return new PlanStart(
                whatIf,
                new ForwardRun(log, notBefore, basis.arrivedAfter().toNanos(), gapNs),
                at,
                heldBy(forecast),
                forecast.queue().waiting(),
                forecast.queue().cost(),
                Costs.of(forecast));
    }

    private static PermitLog rebuilt(Forecast.Basis basis, Settings settings) {
        Forecast.History history = basis.history();
        PermitLog log = new PermitLog(settings.windows(), settings.burst());
        long arrivalLagNs = basis.arrivedAfter().toNanos();
        long slot = Long.MIN_VALUE;
        for (long n = 0; n < history.permits(); n++) {
            // Where one line ends and the next begins, the order may be lost by as much as the lines are not exact.
            slot = Math.max(slot, EpochNanos.of(Forecast.timeOfPermit(history.breakPoints(), null, n)));
            log.restore(n, slot, slot + arrivalLagNs, 1);
        }
        log.restore(new PermitLog.Head(
                0, history.permits(), slot, 1, epochNanos(history.pacedTo()), 0, epochNanos(history.completeSince())));
        return log;
    }

    private static long epochNanos(@Nullable Instant instant) {
        return instant == null ? Long.MIN_VALUE : EpochNanos.of(instant);
    }

    private static @Nullable String heldBy(Forecast forecast) {
        return Stream.of(
                        forecast.heldBy() == null ? "" : forecast.heldBy(),
                        forecast.state().equals("throttled") ? "retry-after" : "",
                        forecast.state().equals("circuit-open") ? "circuit" : "")
                .filter(HOLDS::contains)
                .findFirst()
                .orElse(null);
    }
}
