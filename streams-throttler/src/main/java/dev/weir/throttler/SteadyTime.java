package dev.weir.throttler;

import java.time.InstantSource;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.utils.Time;

/**
 * Kafka Streams' time, from Weir's own clock: with the system's, a wall clock that is set back an hour would stop every
 * punctuation for that hour. Thread-safe.
 */
final class SteadyTime implements Time {
    private final InstantSource clock;

    SteadyTime(InstantSource clock) {
        this.clock = clock;
    }

    @Override
    public long milliseconds() {
        return clock.millis();
    }

    @Override
    public long nanoseconds() {
        return System.nanoTime();
    }

    @Override
    public void sleep(long ms) {
        Time.SYSTEM.sleep(ms);
    }

    @Override
    public void waitObject(Object monitor, Supplier<Boolean> condition, long deadlineMs) throws InterruptedException {
        synchronized (monitor) {
            while (!condition.get()) {
                long left = deadlineMs - milliseconds();
                if (left <= 0) {
                    throw new TimeoutException("the condition did not come true in time");
                }
                monitor.wait(left);
            }
        }
    }
}
