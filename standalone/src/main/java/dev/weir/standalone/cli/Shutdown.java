package dev.weir.standalone.cli;

import dev.weir.contracts.config.Durations;
import dev.weir.standalone.Lifecycle;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ctrl-C and SIGTERM of a server's command. Made before anything starts, so that a signal during the start closes what is
 * there by then; above all a child process, which would otherwise stay.
 */
final class Shutdown {
    /** So that a load balancer that looks each second or more often sees it coming. */
    static final Duration LEAVE = Duration.ofSeconds(1);

    static final Duration LONGEST_LEAVE = Duration.ofMinutes(5);

    private static final Logger LOG = LoggerFactory.getLogger(Shutdown.class);

    private Shutdown() {}

    /** Closes these at the process's end, however that comes about. */
    static void closeAtExit(String name, Lifecycle parts) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(name, parts), "shutdown"));
    }

    /**
     * Returns when SIGTERM comes: a server that was asked to stop has done what it should, and its command ends with 0. (Java
     * by itself would end with 143.) Ctrl-C ends the process as it does anywhere.
     */
    static void awaitSignal() throws InterruptedException {
        CountDownLatch asked = new CountDownLatch(1);
        onTerm(asked::countDown);
        asked.await();
    }

    /** How long a process says that it is not ready before it stops, {@code WEIR_LEAVE}. */
    static Duration leave(Map<String, String> env) {
        String text = env.get("WEIR_LEAVE");
        Duration leave = text == null ? LEAVE : Durations.parse(text);
        if (leave == null || leave.isNegative() || leave.compareTo(LONGEST_LEAVE) > 0) {
            throw new CliException("WEIR_LEAVE: expected a duration such as 10s, of up to "
                    + Durations.text(LONGEST_LEAVE) + ", but it is " + text);
        }
        return leave;
    }

    /** Java has no other way than this class, which is exported but may not be named in code that is compiled strictly. */
    private static void onTerm(Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object handling = Proxy.newProxyInstance(
                    Shutdown.class.getClassLoader(), new Class<?>[] {handler}, (proxy, method, arguments) -> {
                        action.run();
                        return null;
                    });
            signal.getMethod("handle", signal, handler)
                    .invoke(null, signal.getConstructor(String.class).newInstance("TERM"), handling);
        } catch (ReflectiveOperationException | IllegalArgumentException e) {
            LOG.debug("SIGTERM cannot be handled here; it ends this process with 143 instead of 0", e);
        }
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
