package dev.weir.standalone.cli;

import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Keeps a server's command going until Ctrl-C or SIGTERM, and closes the server then. */
final class Shutdown {
    private static final Logger LOG = LoggerFactory.getLogger(Shutdown.class);

    private Shutdown() {}

    /** Never returns normally: the signal ends the process, after the server is closed. */
    static void waitAndClose(String name, AutoCloseable server) throws InterruptedException {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(name, server), "shutdown"));
        new CountDownLatch(1).await();
    }

    private static void close(String name, AutoCloseable server) {
        LOG.info("{} is stopping", name);
        long startedNs = System.nanoTime();
        try {
            server.close();
            LOG.info("{} has stopped, after {} ms", name, (System.nanoTime() - startedNs) / 1_000_000);
        } catch (Exception e) {
            LOG.error("{} did not stop cleanly: {}", name, e.toString());
        }
    }
}
