package dev.weir.standalone.cli;

import dev.weir.standalone.Lifecycle;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ctrl-C and SIGTERM of a server's command. Made before anything starts, so that a signal during the start closes what is
 * there by then; above all a child process, which would otherwise stay.
 */
final class Shutdown {
    private static final Logger LOG = LoggerFactory.getLogger(Shutdown.class);

    private Shutdown() {}

    /** Closes these at the process's end, however that comes about. */
    static void closeAtExit(String name, Lifecycle parts) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(name, parts), "shutdown"));
    }

    /** Never returns normally: the signal ends the process. */
    static void awaitSignal() throws InterruptedException {
        new CountDownLatch(1).await();
    }

    private static void close(String name, Lifecycle parts) {
        if (parts.isClosed()) {
            // It did not start, or has come to its own end.
            return;
        }
        LOG.info("{} is stopping", name);
        long startedNs = System.nanoTime();
        parts.close();
        LOG.info("{} has stopped, after {} ms", name, (System.nanoTime() - startedNs) / 1_000_000);
    }
}
