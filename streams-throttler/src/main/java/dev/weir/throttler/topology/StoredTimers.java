package dev.weir.throttler.topology;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.throttler.upstream.Timer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;

/**
 * The timers of a task. Those that may be taken out before their time stand by themselves, the others on {@link TimerPage}s. A
 * page is read when its first timer is due and deleted with its last: after a crash in between some come again, and do nothing
 * then. Not thread-safe.
 */
final class StoredTimers {
    private static final byte[] PRESENT = {1};
    private static final Bytes LOW_WATER = Keys.mark("timers");
    private static final Comparator<Timer> BY_DUE = Comparator.comparing(Timer::due);

    private final StoreWrites jobs;
    private final HeadWrites heads;
    /** The pages that timers are put on now, by kind and upstream. */
    private final Map<PagesOf, TimerPage> open = new HashMap<>();
    /** Timers of pages that were read, until they are due. */
    private final PriorityQueue<Paged> read = new PriorityQueue<>(Comparator.comparing(Paged::timer, BY_DUE));
    /** The pages that were read, and how many of their timers have not come yet. */
    private final TreeMap<Bytes, Integer> pages = new TreeMap<>();
    /** Pages that begin before this were read, epoch nanoseconds. */
    private long readTo = Long.MIN_VALUE;
    /** No timer is due before this, epoch nanoseconds. */
    private long next = Long.MIN_VALUE;

    private record PagesOf(Timer.Kind kind, String upstream) {}

    private record Paged(Timer timer, Bytes page) {}

    /**
     * @param jobs holds the timers that stand by themselves
     * @param heads holds pages, and the low-water mark
     */
    StoredTimers(StoreWrites jobs, HeadWrites heads) {
        this.jobs = jobs;
        this.heads = heads;
    }

    void put(Timer timer) {
        if (timer.kind().isDeleted()) {
            jobs.put(Keys.timer(timer), PRESENT);
        } else {
            TimerPage page = open.compute(
                    new PagesOf(timer.kind(), timer.upstream()),
                    (owner, before) -> before != null && before.takes(timer) ? before : new TimerPage(timer));
            page.add(timer);
            heads.changed(page);
        }
        next = Math.min(next, EpochNanos.of(timer.due()));
    }

    void delete(Timer timer) {
        if (timer.kind().isDeleted()) {
            jobs.put(Keys.timer(timer), null);
        }
    }

    /** Those that are due by now, the earliest first, at most so many; they are taken out. */
    List<Timer> takeDue(Instant now, int most) {
        Instant from = lowWater();
        long at = EpochNanos.of(now);
        List<Timer> due = at < next ? List.of() : take(from, at, most);
        // A page stands until its last timer has come.
        long kept = pages.isEmpty()
                ? next
                : EpochNanos.of(Keys.timer(pages.firstKey()).due());
        Instant mark = EpochNanos.toInstant(Math.min(at, Math.min(next, kept)));
        if (mark.isAfter(from)) {
            heads.put(LOW_WATER, Json.bytes(mark));
        }
        return due;
    }

    /** No timer is due before this: deleted ones are never scanned twice. */
    Instant lowWater() {
        byte[] mark = heads.get(LOW_WATER);
        return mark == null ? Instant.EPOCH : Json.read(mark, Instant.class);
    }

    private List<Timer> take(Instant from, long at, int most) {
        next = Long.MAX_VALUE;
        List<Timer> due = new ArrayList<>();
        takeSingle(from, at, most, due);
        readPages(from, at, most);
        while (due.size() < most
                && !read.isEmpty()
                && EpochNanos.of(read.element().timer().due()) <= at) {
            due.add(takePaged());
        }
        if (!read.isEmpty()) {
            next = Math.min(next, EpochNanos.of(read.element().timer().due()));
        }
        due.sort(BY_DUE);
        return due;
    }

    /** It looks beyond what is due: to look again before the next one's time would pass over every timer deleted since. */
    private void takeSingle(Instant from, long at, int most, List<Timer> due) {
        try (KeyValueIterator<Bytes, byte[]> timers =
                jobs.range(Keys.timersFrom(Keys.TIMER, from), Keys.end(Keys.TIMER))) {
            while (timers.hasNext()) {
                Timer timer = Keys.timer(timers.next().key);
                long dueAt = EpochNanos.of(timer.due());
                if (due.size() == most || dueAt > at) {
                    next = Math.min(next, dueAt);
                    break;
                }
                due.add(timer);
            }
        }
        due.forEach(this::delete);
    }

    /** At most as many pages as it takes for so many timers more. */
    private void readPages(Instant from, long at, int most) {
        Instant start = readTo == Long.MIN_VALUE ? from : EpochNanos.toInstant(readTo);
        try (KeyValueIterator<Bytes, byte[]> found =
                heads.range(Keys.timersFrom(Keys.TIMER_PAGE, start), Keys.end(Keys.TIMER_PAGE))) {
            while (found.hasNext()) {
                KeyValue<Bytes, byte[]> page = found.next();
                long first = EpochNanos.of(Keys.timer(page.key).due());
                if (first > at || read.size() >= most) {
                    next = Math.min(next, first);
                    break;
                }
                if (!pages.containsKey(page.key)) {
                    List<Timer> timers = TimerPage.read(page.key, page.value);
                    pages.put(page.key, timers.size());
                    timers.forEach(timer -> read.add(new Paged(timer, page.key)));
                }
                readTo = first;
            }
        }
        // What is put from now on would be missed on a page that was read.
        open.values().removeIf(page -> pages.containsKey(page.key()));
    }

    private Timer takePaged() {
        Paged paged = read.remove();
        if (pages.merge(paged.page(), -1, Integer::sum) == 0) {
            pages.remove(paged.page());
            heads.write(paged.page(), null);
        }
        return paged.timer();
    }
}
