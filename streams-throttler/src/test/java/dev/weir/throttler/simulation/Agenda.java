package dev.weir.throttler.simulation;

import java.time.Duration;
import java.util.PriorityQueue;

/** Virtual time: the true one, which no process of the simulation can read, and what happens in it, in order. */
final class Agenda {
    static final long MS = 1_000_000L;
    static final long SECOND = 1000 * MS;
    static final long START = 1_800_000_000L * SECOND;

    private record Entry(long at, long order, Runnable what) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
        }
    }

    private final PriorityQueue<Entry> entries = new PriorityQueue<>();
    private long now = START;
    private long order;

    long now() {
        return now;
    }

    /** Since the start, for a person. */
    Duration elapsed() {
        return Duration.ofNanos(now - START);
    }

    void at(long when, Runnable what) {
        entries.add(new Entry(Math.max(now, when), order++, what));
    }

    void in(long delay, Runnable what) {
        at(now + delay, what);
    }

    /** @return false when nothing is left to happen until then; it is that time now */
    boolean next(long until) {
        Entry entry = entries.peek();
        if (entry == null || entry.at() > until) {
            now = until;
            return false;
        }
        entries.poll();
        now = entry.at();
        entry.what().run();
        return true;
    }
}
