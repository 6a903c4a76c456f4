package dev.weir.acceptance;

import dev.weir.contracts.time.AnchoredClock;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;

/** An upstream that only counts: it notes each call by its own clock, and answers 200 after a while. Thread-safe. */
final class CountingUpstream implements AutoCloseable {
    /** A call as it came in: its job, its attempt, and when. */
    record Arrival(String job, int attempt, Instant at) {
        /** What Weir's one permit allows: one call of this name. */
        String name() {
            return job + "/" + attempt;
        }
    }

    private final InstantSource clock = new AnchoredClock();
    private final List<Arrival> arrivals = new CopyOnWriteArrayList<>();
    private final Server server = new Server();
    private final ServerConnector connector = new ServerConnector(server, 1, 1);

    CountingUpstream(Duration latency) throws Exception {
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        server.setHandler(new Handler.Abstract.NonBlocking() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) {
                Instant now = clock.instant();
                arrivals.add(new Arrival(
                        request.getHeaders().get("X-Job-Id"),
                        Integer.parseInt(request.getHeaders().get("X-Attempt")),
                        now));
                Runnable answer = () -> response.write(true, ByteBuffer.allocate(0), callback);
                Content.Source.consumeAll(
                        request,
                        Callback.from(
                                () -> request.getComponents()
                                        .getScheduler()
                                        .schedule(answer, latency.toMillis(), TimeUnit.MILLISECONDS),
                                callback::failed));
                return true;
            }
        });
        server.start();
    }

    int port() {
        return connector.getLocalPort();
    }

    /** All so far, in the order in which they came. */
    List<Arrival> arrivals() {
        return List.copyOf(arrivals);
    }

    int calls() {
        return arrivals.size();
    }

    /** The most calls that came within any half-open window of this length. */
    int most(Duration window) {
        List<Instant> at = arrivals().stream().map(Arrival::at).sorted().toList();
        int most = 0;
        int tail = 0;
        for (int head = 0; head < at.size(); head++) {
            while (!at.get(tail).plus(window).isAfter(at.get(head))) {
                tail++;
            }
            most = Math.max(most, head - tail + 1);
        }
        return most;
    }

    @Override
    public void close() {
        try {
            server.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            throw new IllegalStateException("the upstream does not stop", e);
        }
    }
}
