package dev.weir.standalone;

import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * TCP ports for processes that listen only seconds after they were started, and for those that come back at the same port.
 *
 * <p>They lie below those that a system gives to whoever asks for any (from 32768 on Linux), and each of the JVMs that test at
 * the same time has its own: in the meantime nobody else gets one of them by chance.
 */
public final class TestPorts {
    private static final int FIRST = 20_000;
    private static final int OF_A_FORK = 3_000;
    /** Which of the JVMs that Failsafe runs at the same time this is, from 1; alone without it. */
    private static final int FORK = Integer.getInteger("weir.fork", 1);

    /** Not always the same: two builds may share a machine. */
    private static final AtomicInteger NEXT =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(OF_A_FORK));

    private TestPorts() {}

    /** One that nobody listens on, another each time. */
    public static int next() {
        for (int i = 0; i < OF_A_FORK; i++) {
            int port = FIRST + (FORK - 1) * OF_A_FORK + Math.floorMod(NEXT.getAndIncrement(), OF_A_FORK);
            try {
                Ports.requireFree("127.0.0.1", port, "a test", "none");
                return port;
            } catch (StartException taken) {
                // The next one, then.
            }
        }
        throw new IllegalStateException("all " + OF_A_FORK + " ports are taken");
    }
}
