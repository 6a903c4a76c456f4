package dev.weir.dispatcher;

import java.time.Duration;

/** Counts open calls, so that a stop can wait for them. Thread-safe. */
final class OpenCalls {
    private static final long NANOS_PER_MILLI = 1_000_000;
    private final Object lock = new Object();
    private int count;

    void begin() {
        synchronized (lock) {
            count++;
        }
    }

    void end() {
        synchronized (lock) {
            count--;
            lock.notifyAll();
        }
    }

    int count() {
        synchronized (lock) {
            return count;
        }
    }

    /** Whether no call is open any more, waiting at most {@code patience}. */
    boolean awaitNone(Duration patience) {
        long deadline = System.nanoTime() + patience.toNanos();
        synchronized (lock) {
            while (count > 0) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    return false;
                }
                try {
                    lock.wait(Math.max(1, left / NANOS_PER_MILLI));
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    return false;
                }
            }
            return true;
        }
    }
}
