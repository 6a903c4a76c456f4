package dev.weir.standalone;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Parts in the order in which they started, closed in reverse, each within a bound. It can be closed while parts are still
 * starting: what comes later is closed at once. Thread-safe; closing twice closes once, and the second call waits for the
 * first.
 */
public final class Lifecycle implements AutoCloseable {
    /** A part that takes longer is left behind: everything that matters is durable by then. */
    static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);

    private static final Logger LOG = LoggerFactory.getLogger(Lifecycle.class);

    private record Part(String name, AutoCloseable closer, Duration timeout) {}

    private final Deque<Part> parts = new ArrayDeque<>();
    private boolean closed;

    /** @throws StartException when all was closed meanwhile; the part is closed, too, then */
    public <T extends AutoCloseable> T add(String name, T part) {
        return add(name, part, CLOSE_TIMEOUT);
    }

    synchronized <T extends AutoCloseable> T add(String name, T part, Duration closeTimeout) {
        Part added = new Part(name, part, closeTimeout);
        if (closed) {
            close(added);
            throw new StartException("stopped while it was starting; what had started is closed again");
        }
        parts.push(added);
        return part;
    }

    @Override
    public synchronized void close() {
        closed = true;
        while (!parts.isEmpty()) {
            close(parts.pop());
        }
    }

    /** Nothing is left to close, and nothing can start any more. */
    public synchronized boolean isClosed() {
        return closed;
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
            closer.join(part.timeout().toMillis());
            if (closer.isAlive()) {
                LOG.warn("{} did not close within {}; going on without it", part.name(), part.timeout());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
