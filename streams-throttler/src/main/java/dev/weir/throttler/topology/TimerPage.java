package dev.weir.throttler.topology;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.throttler.upstream.Timer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Bytes;

/**
 * Timers of one kind and one upstream that are due shortly after each other, kept in one record: they are put one after the
 * other, at each call and at each end of a job, and none is taken out before its time. The page's key tells the first of them;
 * each follows with the time since then, and the job. Not thread-safe.
 */
final class TimerPage extends HeadWrites.Head {
    static final int MOST_TIMERS = 16;
    static final Duration SPAN = Duration.ofSeconds(1);

    private static final byte VERSION = 1;

    private final Timer first;
    private final Bytes key;
    private final List<Timer> timers = new ArrayList<>();

    /** An empty page; the timer that it is opened for comes onto it first. */
    TimerPage(Timer first) {
        this.first = first;
        this.key = Keys.timerPage(first);
    }

    @Override
    Bytes key() {
        return key;
    }

    @Override
    byte[] bytes() {
        FormWriter out = new FormWriter(VERSION);
        timers.forEach(timer -> out.number(since(timer)).id(timer.jobId()));
        return out.bytes();
    }

    boolean takes(Timer timer) {
        long since = since(timer);
        return timers.size() < MOST_TIMERS && since >= 0 && since <= SPAN.toNanos();
    }

    void add(Timer timer) {
        timers.add(timer);
    }

    static List<Timer> read(Bytes key, byte[] page) {
        Timer first = Keys.timer(key);
        FormReader in = new FormReader(page, VERSION, "a page of timers");
        List<Timer> timers = new ArrayList<>();
        while (in.more()) {
            timers.add(new Timer(first.due().plusNanos(in.number()), first.kind(), first.upstream(), in.id()));
        }
        return timers;
    }

    private long since(Timer timer) {
        return EpochNanos.of(timer.due()) - EpochNanos.of(first.due());
    }
}
