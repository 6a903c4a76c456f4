package dev.weir.dispatcher;

import dev.weir.contracts.kafka.BrokerClock;
import dev.weir.contracts.kafka.KafkaSettings;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares this process's clock with the broker's, at start, every minute after, and at once when the machine's clock has
 * moved unlike this one (the machine was suspended, or its clock was set), on a thread of its own. A dispatcher whose clock
 * is off calls at the wrong moments, so it takes no permits and hands back those it holds. Thread-safe.
 */
final class ClockGuard implements AutoCloseable {
    private static final Duration CHECK_EVERY = Duration.ofMinutes(1);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);
    /** So often the machine's clock is looked at. */
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
    /** A correction that is smaller is none to ask the broker about. */
    private static final Duration MOST_UNNOTICED = Duration.ofMillis(250);

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(ClockGuard.class);

    private final BrokerClock broker;
    private final InstantSource clock;
    private final InstantSource wall;
    private final Thread thread;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile Duration apart;
    private volatile @Nullable String wrong = "the clock has not been compared with the broker's yet";

    /**
     * @param clock that permits are used by
     * @param wall the machine's own, which knows of a suspension
     */
    ClockGuard(KafkaSettings kafka, InstantSource clock, InstantSource wall) {
        this.broker = new BrokerClock(kafka);
        this.clock = clock;
        this.wall = wall;
        apart = Duration.between(clock.instant(), wall.instant());
        thread = new Thread(this::run, "clock-guard");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Why no permit may be taken or used; null when the clock is right. Cheap: it is asked before each call. */
    @Nullable
    String wrong() {
        String known = wrong;
        if (known != null) {
            return known;
        }
        Duration moved = moved();
        return moved.abs().compareTo(MOST_UNNOTICED) > 0
                ? "the machine's clock moved by " + moved.toMillis()
                        + " ms against this process's, which is compared with the broker's again"
                : null;
    }

    private void run() {
        try {
            boolean known = check();
            long checkedNanos = System.nanoTime();
            while (!closed.await((known ? LOOK_EVERY : RETRY_AFTER).toMillis(), TimeUnit.MILLISECONDS)) {
                boolean jumped = moved().abs().compareTo(MOST_UNNOTICED) > 0;
                if (jumped) {
                    wrong = wrong();
                    apart = apart.plus(moved());
                    LOG.warn("{}; no permits are used until then. Was the machine suspended?", wrong);
                }
                if (jumped || !known || System.nanoTime() - checkedNanos >= CHECK_EVERY.toNanos()) {
                    known = check();
                    checkedNanos = System.nanoTime();
                }
            }
        } catch (InterruptedException e) {
            // Only closing interrupts this thread.
            Thread.currentThread().interrupt();
        }
    }

    /** What the machine's clock did since it was last looked at and this one did not. */
    private Duration moved() {
        return Duration.between(clock.instant(), wall.instant()).minus(apart);
    }

    /** Whether the broker told its time; as long as it does not, what was known before holds. */
    private boolean check() throws InterruptedException {
        Duration offset;
        try {
            offset = broker.offset(clock);
        } catch (IllegalStateException e) {
            LOG.warn("the clock cannot be compared with the broker's, trying again: {}", e.getMessage());
            return false;
        }
        if (offset.abs().compareTo(Dispatcher.MAX_CLOCK_OFFSET) > 0) {
            String reason = "the clock is " + offset.abs().toMillis() + " ms "
                    + (offset.isNegative() ? "ahead of" : "behind") + " the broker's, more than "
                    + Dispatcher.MAX_CLOCK_OFFSET.toMillis()
                    + " ms; no permits are taken. Check NTP on this machine and on the"
                    + " broker's, then restart this process";
            LOG.error("{}", reason);
            wrong = reason;
        } else {
            if (wrong != null) {
                LOG.info(
                        "the clock is right, within {} ms of the broker's",
                        offset.abs().toMillis());
            }
            wrong = null;
        }
        return true;
    }

    @Override
    public void close() {
        closed.countDown();
        thread.interrupt();
        try {
            thread.join(CLOSE_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        broker.close();
    }
}
