package dev.weir.throttler.testing;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * When the throttle ticks next: at its own pace while something happens, and not before something can once nothing does. What
 * can is known from the throttle's own records: forecasts tell the next permit, events and permits tell the timers. Steps are
 * at first no longer than what the throttle takes for a stall, which would delay its judgement of calls in doubt; without
 * open calls a longer one changes nothing. Not thread-safe.
 */
final class Steps {
    /** As in production. */
    static final Duration TICK = Duration.ofMillis(50);
    /**
     * Few enough ticks for a day of 450,000 calls. Slots come out the same, because each tick gives those that lie up to
     * {@link Throttle#AHEAD} ahead, and none is nearer than {@link Throttle#LEAD}.
     */
    static final Duration COARSE = Duration.ofMillis(250);
    /**
     * A tick stops when it has taken 30 ms of real time, even if the machine was busy with something else, and leaves the
     * rest to the next one; then that one must come soon.
     */
    static final Duration HELD_UP = Duration.ofMillis(20);

    /**
     * A forecast's times may be older than itself, by fifty times as long as it took to make them; after this they are not,
     * unless it took 100 ms.
     */
    private static final Duration SETTLED = Duration.ofSeconds(5);
    /** A forecast's next permit may come a little earlier than it says. */
    private static final Duration MARGIN = Duration.ofMillis(200);

    private static final long NEVER = Long.MAX_VALUE;

    private final PriorityQueue<Long> dues = new PriorityQueue<>();
    private final long stride;
    private final boolean skips;
    private long anchor;
    private long last;
    private long changed;
    private boolean busy;
    private boolean heldUp;

    /**
     * @param stride from one tick to the next while something happens
     * @param skips whether the ticks at which nothing can happen are left out
     */
    Steps(Duration stride, boolean skips) {
        this.stride = stride.toNanos();
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
        due(now + TICK.toNanos() + Throttle.GRACE.toNanos());
    }

    /**
     * The throttle ticked; what it did may go on at its next one.
     *
     * @param took in real time
     */
    void ticked(long now, boolean didSomething, Duration took) {
        last = now;
        heldUp = took.compareTo(HELD_UP) > 0;
        busy = didSomething || heldUp;
        while (!dues.isEmpty() && dues.peek() <= now) {
            dues.remove();
            busy = true;
        }
        if (busy) {
            changed = now;
        }
    }

    /** Something came in. */
    void woken(long now) {
        changed = now;
        busy = true;
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
    long next(long now, long end, Observations seen) {
        long soonest = fromGrid(Math.max(now, last + (heldUp ? TICK.toNanos() : stride)));
        if (!skips || busy || !seen.toldSinceLastChange()) {
            return soonest;
        }
        long wake = onGrid(end);
        if (!dues.isEmpty()) {
            wake = Math.min(wake, fromGrid(dues.peek()));
        }
        for (Glance forecast : seen.glances()) {
            if (forecast.queue().inFlight() > 0 || now - changed < SETTLED.toNanos()) {
                wake = Math.min(wake, last + Throttle.STALL.toNanos());
            }
            if (forecast.queue().waiting() > 0 && !Forecast.PAUSED.equals(forecast.state())) {
                long permit = EpochNanos.of(forecast.nextPermit());
                wake = Math.min(
                        wake, onGrid(permit - Throttle.AHEAD.plus(MARGIN).toNanos()));
            }
        }
        return Math.max(soonest, wake);
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
        return onGrid(time - 1) + TICK.toNanos();
    }

    /** The last tick's time that is not after this one. */
    private long onGrid(long time) {
        return anchor + Math.floorDiv(time - anchor, TICK.toNanos()) * TICK.toNanos();
    }
}
