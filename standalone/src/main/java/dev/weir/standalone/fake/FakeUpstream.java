package dev.weir.standalone.fake;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.StartException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A rate-limited API over real HTTP. It answers any path with a small JSON, beyond its limits with 429 and
 * {@code Retry-After}, and tells at {@code GET /stats} what it saw. Thread-safe.
 */
public final class FakeUpstream implements AutoCloseable {
    /** GET here reads the figures; anything else is a call. */
    public static final String STATS_PATH = "/stats";

    private static final Logger LOG = LoggerFactory.getLogger(FakeUpstream.class);
    private static final int MAX_THREADS = 32;
    private static final int ACCEPT_QUEUE = 1024;
    private static final Duration IDLE_TIMEOUT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(2);
    private static final long NS_PER_SECOND = 1_000_000_000L;

    private final Server server;
    private final ServerConnector connector;
    private final CallLog log;

    /**
     * Starts listening.
     *
     * @param port 0 for a free one
     * @param limits its own, all hold at once; none means that it only counts
     * @param latency from a call's arrival to its answer
     */
    public FakeUpstream(String host, int port, List<Limit> limits, Duration latency) {
        log = new CallLog(limits, System::nanoTime);
        QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, 4);
        threads.setName("fake-upstream");
        threads.setDaemon(true);
        server = new Server(threads);
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
        connector.setHost(host);
        connector.setPort(port);
        connector.setAcceptQueueSize(ACCEPT_QUEUE);
        connector.setIdleTimeout(IDLE_TIMEOUT.toMillis());
        server.addConnector(connector);
        server.setStopTimeout(STOP_TIMEOUT.toMillis());
        server.setHandler(new Calls(log, latency));
        try {
            server.start();
        } catch (Exception e) {
            close();
            throw new StartException(
                    "the fake upstream cannot listen on " + host + ":" + port + ": " + e.getMessage()
                            + "; choose another port with --port",
                    e);
        }
    }

    public int port() {
        return connector.getLocalPort();
    }

    public CallLog log() {
        return log;
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            LOG.warn("the fake upstream did not stop cleanly: {}", e.getMessage());
        }
    }

    private static final class Calls extends Handler.Abstract.NonBlocking {
        private final CallLog log;
        private final Duration latency;

        Calls(CallLog log, Duration latency) {
            this.log = log;
            this.latency = latency;
        }

        @Override
        public boolean handle(Request request, Response response, Callback callback) {
            String path = Request.getPathInContext(request);
            if (path.equals(STATS_PATH) && request.getMethod().equals("GET")) {
                write(response, 200, log.stats(), callback);
                return true;
            }
            long waitNs = log.arrive(request.getHeaders().get("X-Job-Id"));
            Runnable answer = () -> answer(request, response, path, waitNs, callback);
            Content.Source.consumeAll(
                    request,
                    Callback.from(
                            () -> {
                                if (latency.isZero()) {
                                    answer.run();
                                } else {
                                    request.getComponents()
                                            .getScheduler()
                                            .schedule(answer, latency.toNanos(), TimeUnit.NANOSECONDS);
                                }
                            },
                            callback::failed));
            return true;
        }

        private static void answer(Request request, Response response, String path, long waitNs, Callback callback) {
            Map<String, Object> body = new LinkedHashMap<>();
            if (waitNs > 0) {
                long seconds = (waitNs + NS_PER_SECOND - 1) / NS_PER_SECOND;
                response.getHeaders().put(HttpHeader.RETRY_AFTER, seconds);
                body.put("error", "too many requests; come back in " + seconds + " s");
                write(response, 429, body, callback);
                return;
            }
            body.put("ok", true);
            body.put("method", request.getMethod());
            body.put("path", path);
            body.put("job", request.getHeaders().get("X-Job-Id"));
            body.put("attempt", request.getHeaders().get("X-Attempt"));
            write(response, 200, body, callback);
        }

        private static void write(Response response, int status, Object body, Callback callback) {
            response.setStatus(status);
            response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
            response.write(true, ByteBuffer.wrap(Json.bytes(body)), callback);
        }
    }
}
