package dev.weir.contracts.time;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/**
 * The wall clock as it stood when this clock was made, moved on by the monotonic clock: a step of the wall clock (NTP, an
 * operator) neither releases a flood nor stops the flow. A machine that was suspended takes this clock up where it stood;
 * whoever compares it with the broker's says so, and a restart sets it right. Thread-safe.
 */
public final class AnchoredClock implements InstantSource {
    private final Instant wallAtStart;
    private final long nanosAtStart;

    public AnchoredClock() {
        this(Instant.now(), System.nanoTime());
    }

    private AnchoredClock(Instant wallAtStart, long nanosAtStart) {
        this.wallAtStart = wallAtStart;
        this.nanosAtStart = nanosAtStart;
    }

    /** The same clock, so much ahead of this one. */
    public AnchoredClock plus(Duration offset) {
        return new AnchoredClock(wallAtStart.plus(offset), nanosAtStart);
    }

    @Override
    public Instant instant() {
        return wallAtStart.plusNanos(System.nanoTime() - nanosAtStart);
    }
}
