package dev.weir.throttler.testing;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * When the throttle ticks next: at its own pace while something happens; once a second has passed in which nothing did, not
 * before something can. What can is known from the throttle's own records: the newest forecast tells the next permit, events and
 * permits the timers. While calls are open a step is never longer than what the throttle takes for a stall, which would
 * delay its judgement of calls in doubt; without open calls a longer one changes nothing. Not thread-safe.
 */
final class Steps {
    /** As in production. */
    static final Duration TICK = Duration.ofMillis(50);
    /**
     * Few enough for a day of 450,000 calls. Slots come out the same, because each tick gives those that lie up to
     * {@link Throttle#AHEAD} ahead, and none is nearer than {@link Throttle#LEAD}.
     */
    static final Duration COARSE_TICK = Duration.ofMillis(250);

    /** Longer than a forecast is old while anything waits. */
    private static final Duration QUIET = Duration.ofMillis(1050);
    /** A forecast's next permit may come a little earlier than it says. */
    private static final Duration MARGIN = Duration.ofSeconds(1);

    private static final long NEVER = Long.MAX_VALUE;

    private final PriorityQueue<Long> dues = new PriorityQueue<>();
    private final long tickNs;
    private final boolean skips;
    private long anchor;
    private long last;
    private long busyUntil;

    /** @param skips whether the ticks at which nothing can happen are left out */
    Steps(Duration tick, boolean skips) {
        tickNs = tick.toNanos();
        this.skips = skips;
    }

    /** The task starts. */
    void opened(long now) {
        anchor = now;
        last = now;
        grace(now);
    }

    /** After a start or a stall, calls in doubt are judged when it has passed. */
    void grace(long now) {
        woken(now);
        due(now + tickNs + Throttle.GRACE.toNanos());
    }

    /** The throttle ticked. */
    void ticked(long now, boolean somethingHappened) {
        last = now;
        if (somethingHappened) {
            woken(now);
        }
        while (!dues.isEmpty() && dues.peek() <= now) {
            dues.remove();
            woken(now);
        }
    }

    /** Something came in. */
    void woken(long now) {
        busyUntil = now + QUIET.toNanos();
    }

    void submitted(JobRequest request) {
        due(request.deadline());
    }

    void given(Permit permit) {
        due(permit.expiresAt().plusMillis(permit.timeoutMs()).plus(Throttle.DOUBT_MARGIN));
    }

    void happened(JobEvent event) {
        due(event.dueAt());
    }

    /** The next tick, by {@code end} at the latest if there is one by then. */
    long next(long now, long end, Supplier<List<@Nullable Forecast>> forecasts) {
        long soonest = fromGrid(Math.max(now, last + 1));
        if (!skips || now < busyUntil) {
            return soonest;
        }
        long wake = dues.isEmpty() ? NEVER : fromGrid(dues.peek());
        for (Forecast forecast : forecasts.get()) {
            wake = Math.min(wake, wake(forecast));
        }
        return Math.max(soonest, Math.min(wake, onGrid(end)));
    }

    private long wake(@Nullable Forecast forecast) {
        if (forecast == null) {
            return last;
        }
        long wake = forecast.queue().inFlight() > 0 ? last + Throttle.STALL.toNanos() : NEVER;
        if (forecast.queue().waiting() > 0 && !Forecast.PAUSED.equals(forecast.state())) {
            long permit = EpochNanos.of(forecast.breakPoints().get(0).at());
            wake = Math.min(wake, onGrid(permit - Throttle.AHEAD.plus(MARGIN).toNanos()));
        }
        return wake;
    }

    private void due(@Nullable Instant time) {
        if (time != null) {
            due(EpochNanos.of(time));
        }
    }

    private void due(long time) {
        if (time > last && time < NEVER) {
            dues.add(time);
        }
    }

    /** The first tick's time that is not before this one. */
    private long fromGrid(long time) {
        return onGrid(time - 1) + tickNs;
    }

    /** The last tick's time that is not after this one. */
    private long onGrid(long time) {
        return anchor + Math.floorDiv(time - anchor, tickNs) * tickNs;
    }
}
