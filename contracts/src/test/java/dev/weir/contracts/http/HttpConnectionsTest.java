package dev.weir.contracts.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.eclipse.jetty.io.ArrayByteBufferPool;
import org.eclipse.jetty.io.RetainableByteBuffer;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.junit.jupiter.api.Test;

class HttpConnectionsTest {
    /** Long beside what else the answer to a request takes. */
    private static final long DELAY_NS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final int REQUESTS = 3;

    /** Whoever gives a task away is overtaken by it, as on a busy machine now and then. */
    private static final class Overtaking extends QueuedThreadPool {
        Overtaking() {
            super(16, 4);
        }

        @Override
        public boolean tryExecute(Runnable task) {
            execute(task);
            LockSupport.parkNanos(3 * DELAY_NS);
            return true;
        }
    }

    /** Buffers that say when one is used after it was given back; to look into one takes a while. */
    private static final class Watched extends ArrayByteBufferPool {
        final Queue<Throwable> usedAfterItsEnd = new ConcurrentLinkedQueue<>();

        @Override
        public RetainableByteBuffer.Mutable acquire(int size, boolean direct) {
            return new RetainableByteBuffer.Wrapper(super.acquire(size, direct)) {
                private volatile boolean ended;

                @Override
                public boolean hasRemaining() {
                    LockSupport.parkNanos(2 * DELAY_NS);
                    if (ended) {
                        usedAfterItsEnd.add(new IllegalStateException(
                                "a buffer was given back, and read by " + Thread.currentThread()));
                    }
                    return super.hasRemaining();
                }

                @Override
                public boolean release() {
                    ended = getRetained() == 1;
                    return super.release();
                }
            };
        }
    }

    @Test
    void shouldNotUseABufferThatWasGivenBack_whenTheAnswerToMalformedHeadersIsFast() throws Exception {
        Watched buffers = new Watched();
        Server server = new Server(new Overtaking());
        ServerConnector connector =
                new ServerConnector(server, null, null, buffers, -1, -1, new HttpConnections(new HttpConfiguration()));
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.start();
        try {
            for (int i = 0; i < REQUESTS; i++) {
                assertThat(answer(connector.getLocalPort())).startsWith("HTTP/1.1 400 ");
            }
        } finally {
            server.stop();
        }

        assertThat(buffers.usedAfterItsEnd).isEmpty();
    }

    private static String answer(int port) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.getOutputStream()
                    .write(("GET / HTTP/1.1\r\nHost: x\r\nno@name: x\r\n\r\n" + "more".repeat(100)).getBytes(US_ASCII));
            InputStream in = socket.getInputStream();
            return new String(in.readNBytes(64), US_ASCII);
        }
    }
}
