package dev.weir.throttler.testing;

import dev.weir.contracts.time.EpochNanos;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.PriorityQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.streams.Topology;
import org.jspecify.annotations.Nullable;

/**
 * Drives the task through time: what was arranged for some moment happens then, and the throttle ticks in between. While the
 * throttle is away, records wait in their topics. Not thread-safe.
 */
final class VirtualTime implements AutoCloseable {
    private final Function<Supplier<Instant>, Topology> topologies;
    private final Path stateDir;
    private final Steps steps;
    private final Observations seen;
    private final PriorityQueue<Appointment> agenda = new PriorityQueue<>();
    private final Deque<Unread> unread = new ArrayDeque<>();
    private @Nullable TaskRun task;
    private long now;
    private long driverTime;
    private int runs;
    private long appointments;

    private record Appointment(long at, long number, Runnable what) implements Comparable<Appointment> {
        @Override
        public int compareTo(Appointment other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(number, other.number);
        }
    }

    /** A record that was written while the throttle was away. */
    private record Unread(String topic, String key, byte @Nullable [] value, Headers headers, Instant at) {}

    /** @param topologies a new one for each run, on the clock that is given */
    VirtualTime(
            Instant start,
            Function<Supplier<Instant>, Topology> topologies,
            Path stateDir,
            Steps steps,
            Observations seen) {
        this.now = EpochNanos.of(start);
        this.topologies = topologies;
        this.stateDir = stateDir;
        this.steps = steps;
        this.seen = seen;
        open();
    }

    Instant now() {
        return EpochNanos.toInstant(now);
    }

    /** Arranges something for some moment; what is arranged for the past happens next. */
    void at(Instant time, Runnable what) {
        agenda.add(new Appointment(EpochNanos.of(time), appointments++, what));
    }

    void pipe(String topic, String key, byte @Nullable [] value, Headers headers) {
        if (task == null) {
            unread.add(new Unread(topic, key, value, headers, now()));
        } else {
            read(new Unread(topic, key, value, headers, now()));
        }
    }

    /** Lets time pass, until something is so at the latest. */
    void run(Duration by, BooleanSupplier done) {
        long end = now + by.toNanos();
        while (!done.getAsBoolean()) {
            long tick = task == null ? Long.MAX_VALUE : steps.next(now, end, seen);
            Appointment next = agenda.peek();
            if (next != null && next.at() <= Math.min(tick, end)) {
                agenda.remove();
                now = Math.max(now, next.at());
                next.what().run();
            } else if (tick <= end) {
                now = tick;
                tick();
            } else {
                now = end;
                return;
            }
        }
    }

    /** All but the throttle goes on for so long; then it ticks once, and reads what has come meanwhile. */
    void stall(Duration during) {
        TaskRun stalled = task();
        task = null;
        run(during, () -> false);
        task = stalled;
        steps.grace(now);
        tick();
        readUnread();
    }

    /** The task ends; after so long another one starts on what the changelogs hold. */
    void restart(Duration away) {
        task().close();
        task = null;
        run(away, () -> false);
        open();
        readUnread();
    }

    @Override
    public void close() {
        task().close();
    }

    private void open() {
        driverTime = now;
        Path runDir = stateDir.resolve("run-" + ++runs);
        task = new TaskRun(topologies.apply(this::now), runDir, now(), seen.changelog());
        steps.opened(now);
        task().drain(seen);
    }

    private void tick() {
        long before = seen.changes();
        Duration passed = Duration.ofMillis(Duration.ofNanos(now - driverTime).toMillis());
        driverTime += passed.toNanos();
        long startedNs = System.nanoTime();
        task().advance(passed);
        Duration took = Duration.ofNanos(System.nanoTime() - startedNs);
        task().drain(seen);
        steps.ticked(now, seen.changes() > before, took);
    }

    private void readUnread() {
        while (!unread.isEmpty()) {
            read(unread.remove());
        }
    }

    private void read(Unread record) {
        steps.woken(now);
        seen.changed();
        task().pipe(record.topic(), record.key(), record.value(), record.headers(), record.at());
        task().drain(seen);
    }

    private TaskRun task() {
        TaskRun open = task;
        if (open == null) {
            throw new IllegalStateException("the throttle is away");
        }
        return open;
    }
}
