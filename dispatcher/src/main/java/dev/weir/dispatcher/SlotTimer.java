package dev.weir.dispatcher;

import dev.weir.contracts.time.EpochNanos;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds permits until their slot and then hands each on, in the order of the slots, on one thread of its own, which must not
 * be blocked. A permit is never handed on before its slot; whether it comes too late is for the receiver to judge.
 * Thread-safe.
 */
final class SlotTimer implements AutoCloseable {
    /** The clock that counts is the injected one; so often at least it is looked at, should it move unlike ours. */
    private static final long LONGEST_PARK_NANOS = Duration.ofMillis(50).toNanos();

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(SlotTimer.class);

    private record Entry(Held held, long slotNanos, long number) {}

    private final InstantSource clock;
    private final Consumer<Held> due;
    private final Thread thread;
    private final Object lock = new Object();
    private final PriorityQueue<Entry> waiting =
            new PriorityQueue<>(Comparator.comparingLong(Entry::slotNanos).thenComparingLong(Entry::number));
    private long numbers;
    private long bytes;
    private volatile boolean closing;

    SlotTimer(InstantSource clock, Consumer<Held> due) {
        this.clock = clock;
        this.due = due;
        thread = new Thread(this::run, "slots");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Takes a permit, unless this timer is closing: then it is false and the permit stays the caller's. */
    boolean offer(Held held) {
        boolean first;
        synchronized (lock) {
            if (closing) {
                return false;
            }
            Entry entry = new Entry(held, EpochNanos.of(held.permit().slot()), numbers++);
            waiting.add(entry);
            bytes += held.bytes();
            first = entry.equals(waiting.peek());
        }
        if (first) {
            LockSupport.unpark(thread);
        }
        return true;
    }

    int count() {
        synchronized (lock) {
            return waiting.size();
        }
    }

    long bytes() {
        synchronized (lock) {
            return bytes;
        }
    }

    /** Takes out all that wait. */
    List<Held> drain() {
        synchronized (lock) {
            List<Held> all = new ArrayList<>(waiting.size());
            for (Entry entry : waiting) {
                all.add(entry.held());
            }
            waiting.clear();
            bytes = 0;
            return all;
        }
    }

    private void run() {
        while (!closing) {
            long now = EpochNanos.of(clock.instant());
            long park = LONGEST_PARK_NANOS;
            @Nullable Held ready = null;
            synchronized (lock) {
                Entry head = waiting.peek();
                if (head != null && head.slotNanos() <= now) {
                    waiting.remove();
                    ready = head.held();
                    bytes -= ready.bytes();
                } else if (head != null) {
                    park = Math.min(park, head.slotNanos() - now);
                }
            }
            if (ready == null) {
                LockSupport.parkNanos(this, park);
                continue;
            }
            try {
                due.accept(ready);
            } catch (RuntimeException e) {
                // The thread carries every upstream's permits; one that cannot be handled must not end it.
                LOG.error(
                        "job {} of {}: its permit could not be handled; the throttle will find the job in doubt",
                        ready.permit().jobId(),
                        ready.permit().upstream(),
                        e);
            }
        }
    }

    /** Takes no more and hands no more on; what still waits is left for {@link #drain()}. */
    @Override
    public void close() {
        synchronized (lock) {
            closing = true;
        }
        LockSupport.unpark(thread);
        try {
            thread.join(CLOSE_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
