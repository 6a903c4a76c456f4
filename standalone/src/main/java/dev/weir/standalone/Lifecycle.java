package dev.weir.standalone;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Parts in the order in which they started, closed in reverse, each within a bound. Thread-safe; closing twice closes
 * once, and the second call waits for the first.
 */
final class Lifecycle implements AutoCloseable {
    /** A part that takes longer is left behind: everything that matters is durable by then. */
    static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);

    private static final Logger LOG = LoggerFactory.getLogger(Lifecycle.class);

    private record Part(String name, AutoCloseable closer) {}

    private final Deque<Part> parts = new ArrayDeque<>();

    synchronized <T extends AutoCloseable> T add(String name, T part) {
        parts.push(new Part(name, part));
        return part;
    }

    @Override
    public synchronized void close() {
        while (!parts.isEmpty()) {
            close(parts.pop());
        }
    }

    private static void close(Part part) {
        Thread closer = new Thread(
                () -> {
                    try {
                        part.closer().close();
                    } catch (Exception e) {
                        LOG.warn("{} did not close cleanly; going on: {}", part.name(), e.toString());
                    }
                },
                "close-" + part.name());
        closer.setDaemon(true);
        closer.start();
        try {
            closer.join(CLOSE_TIMEOUT.toMillis());
            if (closer.isAlive()) {
                LOG.warn("{} did not close within {}; going on without it", part.name(), CLOSE_TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
