package dev.weir.contracts.http;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.Scheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes connections whose request line and headers trickle in: each piece restarts the idle timeout, so that alone would let
 * them stay for days. Thread-safe.
 */
final class SlowHeaders extends AbstractLifeCycle implements Connection.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(SlowHeaders.class);

    private final ServerConnector connector;
    private final RequestsUnderWay requests;
    private final Duration timeout;
    private final Duration lookEvery;
    private final Map<Connection, Seen> connections = new ConcurrentHashMap<>();
    private volatile Scheduler.@Nullable Task next;

    /** @param sinceNanos when nothing of a next request had come yet */
    private record Seen(long requests, long bytes, long sinceNanos) {}

    /** @param requests what is sent within one of these is no header */
    SlowHeaders(ServerConnector connector, RequestsUnderWay requests, Duration timeout, Duration lookEvery) {
        this.connector = connector;
        this.requests = requests;
        this.timeout = timeout;
        this.lookEvery = lookEvery;
    }

    @Override
    protected void doStart() {
        schedule();
    }

    private void schedule() {
        next = connector.getScheduler().schedule(this::look, lookEvery.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void onOpened(Connection connection) {
        connections.put(connection, new Seen(0, 0, System.nanoTime()));
    }

    @Override
    public void onClosed(Connection connection) {
        connections.remove(connection);
    }

    private void look() {
        try {
            long now = System.nanoTime();
            connections.forEach((connection, seen) -> {
                long begun = connection.getMessagesIn();
                boolean underWay = requests.has(connection);
                if (underWay || begun != seen.requests() || connection.getBytesIn() == seen.bytes()) {
                    connections.replace(connection, seen, new Seen(begun, connection.getBytesIn(), now));
                } else if (now - seen.sinceNanos() > timeout.toNanos()) {
                    LOG.debug("{} did not send its headers within {}; closed", connection, timeout);
                    connection.close();
                }
            });
        } finally {
            if (isRunning()) {
                schedule();
            }
        }
    }

    @Override
    protected void doStop() {
        Scheduler.Task task = next;
        if (task != null) {
            task.cancel();
        }
    }
}
