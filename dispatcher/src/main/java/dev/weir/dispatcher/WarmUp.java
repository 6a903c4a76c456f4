package dev.weir.dispatcher;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Permit;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes the first real call as punctual as the later ones: before any permit is taken, the whole path of a call runs against
 * a socket of this process, so that its classes are loaded and compiled. A cold first call was measured 600 ms late. No
 * upstream sees anything of it.
 */
final class WarmUp {
    private static final int CALLS = 150;
    private static final Duration PATIENCE = Duration.ofSeconds(3);
    private static final String NAME = "warm-up";
    private static final byte[] ANSWER =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                    .getBytes(StandardCharsets.US_ASCII);
    private static final Logger LOG = LoggerFactory.getLogger(WarmUp.class);

    private WarmUp() {}

    static void run(InstantSource clock) {
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Thread answers = new Thread(() -> answer(server), NAME);
            answers.setDaemon(true);
            answers.start();
            UpstreamConfig upstream = new UpstreamConfig(
                    NAME,
                    URI.create("http://" + server.getInetAddress().getHostAddress() + ":" + server.getLocalPort()),
                    UpstreamSettings.of(new Limit(CALLS, Limit.SHORTEST)),
                    null);
            DispatcherMetrics metrics = new DispatcherMetrics(new SimpleMeterRegistry());
            try (UpstreamClient client = new UpstreamClient(
                    new WeirConfig(Map.of(NAME, upstream), WeirConfig.DEFAULT_MAX_BODY_BYTES),
                    clock,
                    new SecureRandom(),
                    metrics)) {
                client.start();
                calls(client, metrics, clock);
            }
        } catch (IOException e) {
            LOG.debug("no warm-up, the first calls may be late: {}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void calls(UpstreamClient client, DispatcherMetrics metrics, InstantSource clock)
            throws InterruptedException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        for (int i = 0; i < CALLS && System.nanoTime() - end < 0; i++) {
            Instant now = clock.instant();
            byte[] record = Json.bytes(new Permit(
                    Permit.VERSION,
                    NAME,
                    NAME,
                    NAME,
                    i,
                    now,
                    now.plus(PATIENCE),
                    1,
                    PATIENCE.toMillis(),
                    new Call("POST", "/", Map.of("content-type", "application/json"), "{}", null),
                    null));
            CountDownLatch done = new CountDownLatch(1);
            client.call(Json.read(record, Permit.class), outcome -> {
                metrics.ended(outcome);
                Json.bytes(outcome);
                done.countDown();
            });
            if (!done.await(PATIENCE.toNanos(), TimeUnit.NANOSECONDS)) {
                LOG.debug("the warm-up got no answer, the first calls may be late");
                return;
            }
        }
    }

    /** Answers every request of every connection, one after the other, until the server is closed. */
    private static void answer(ServerSocket server) {
        while (!server.isClosed()) {
            try (Socket socket = server.accept()) {
                InputStream in = socket.getInputStream();
                // The one body that is sent ends with a brace; a request is small enough to be read as a line of bytes.
                for (int read = in.read(); read >= 0; read = in.read()) {
                    if (read == '}') {
                        socket.getOutputStream().write(ANSWER);
                    }
                }
            } catch (SocketException e) {
                LOG.trace("the warm-up's connection ended", e);
            } catch (IOException e) {
                LOG.debug("the warm-up's connection failed: {}", e.getMessage());
            }
        }
    }
}
