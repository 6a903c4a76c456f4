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
 * Compares this process's clock with the broker's, at start and every minute after, on a thread of its own. A dispatcher
 * whose clock is off calls at the wrong moments, so it takes no permits. Thread-safe.
 */
final class ClockGuard implements AutoCloseable {
    private static final Duration CHECK_EVERY = Duration.ofMinutes(1);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(2);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(ClockGuard.class);

    private final BrokerClock broker;
    private final InstantSource clock;
    private final Thread thread;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile @Nullable String wrong = "the clock has not been compared with the broker's yet";

    ClockGuard(KafkaSettings kafka, InstantSource clock) {
        this.broker = new BrokerClock(kafka);
        this.clock = clock;
        thread = new Thread(this::run, "clock-guard");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Why no permit may be taken; null when the clock is right. */
    @Nullable
    String wrong() {
        return wrong;
    }

    private void run() {
        try {
            boolean known = check();
            while (!closed.await((known ? CHECK_EVERY : RETRY_AFTER).toMillis(), TimeUnit.MILLISECONDS)) {
                known = check();
            }
        } catch (InterruptedException e) {
            // Only closing interrupts this thread.
            Thread.currentThread().interrupt();
        }
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
