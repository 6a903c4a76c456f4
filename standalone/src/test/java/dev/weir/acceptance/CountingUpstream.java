package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.time.AnchoredClock;
import dev.weir.standalone.TestPorts;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;

/**
 * An upstream that only counts: it notes each call by its own clock, and answers 200 after a while. In a process of its own, so
 * that nothing else that runs in a test's holds its clock up. Thread-safe.
 */
final class CountingUpstream implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(60);
    /** A whole line; the last one may still be written. */
    private static final Pattern ARRIVAL = Pattern.compile("(\\S+) (\\d+) (\\S+Z)\n");

    /** A call as it came in: its job, its attempt, and when. */
    record Arrival(String job, int attempt, Instant at) {
        /** What Weir's one permit allows: one call of this name. */
        String name() {
            return job + "/" + attempt;
        }
    }

    private final int port = TestPorts.next();
    private final Path log;
    private final Process process;

    /** @param dir where it keeps what it saw */
    CountingUpstream(Path dir, Duration latency) throws IOException {
        log = dir.resolve("upstream.log");
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        CountingUpstream.class.getName(),
                        Integer.toString(port),
                        Long.toString(latency.toMillis()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        await().atMost(START).until(() -> {
            assertThat(process.isAlive()).as(this::text).isTrue();
            return text().contains("ready\n");
        });
    }

    /** @param args its port, and the milliseconds until it answers */
    public static void main(String[] args) throws Exception {
        InstantSource clock = new AnchoredClock();
        long latency = Long.parseLong(args[1]);
        Server server = new Server();
        ServerConnector connector = new ServerConnector(server, 1, 1);
        connector.setHost("127.0.0.1");
        connector.setPort(Integer.parseInt(args[0]));
        server.addConnector(connector);
        server.setHandler(new Handler.Abstract.NonBlocking() {
            @Override
            public boolean handle(Request request, Response response, Callback callback) {
                Instant now = clock.instant();
                // A whole line in one write: it is read while it grows.
                System.out.print(request.getHeaders().get("X-Job-Id") + " "
                        + request.getHeaders().get("X-Attempt") + " " + now + "\n");
                System.out.flush();
                Runnable answer = () -> response.write(true, ByteBuffer.allocate(0), callback);
                Content.Source.consumeAll(
                        request,
                        Callback.from(
                                () -> request.getComponents()
                                        .getScheduler()
                                        .schedule(answer, latency, TimeUnit.MILLISECONDS),
                                callback::failed));
                return true;
            }
        });
        server.start();
        System.out.print("ready\n");
        System.out.flush();
        server.join();
    }

    int port() {
        return port;
    }

    /** All so far, in the order in which they came. */
    List<Arrival> arrivals() {
        Matcher lines = ARRIVAL.matcher(text());
        return lines.results()
                .map(line -> new Arrival(line.group(1), Integer.parseInt(line.group(2)), Instant.parse(line.group(3))))
                .toList();
    }

    int calls() {
        return arrivals().size();
    }

    private String text() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
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
        process.destroyForcibly().onExit().join();
    }
}
