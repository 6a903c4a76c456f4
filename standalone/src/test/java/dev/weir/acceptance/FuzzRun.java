package dev.weir.acceptance;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Requests by chance against a real process, for a while: no 500, no hang, no stack trace in an answer, memory flat.
 * {@code -Dweir.seconds=600} for a longer run, {@code -Dweir.seed=N -Dweir.requests=1} for one request again.
 */
final class FuzzRun {
    private static final long SEED = Long.getLong("weir.seed", System.nanoTime());
    private static final long REQUESTS = Long.getLong("weir.requests", Long.MAX_VALUE);
    private static final Duration TIME = Duration.ofSeconds(Integer.getInteger("weir.seconds", 60));
    private static final int SENDERS = 4;
    /** The server gives a stalled sender 10 s, and what is durable another few. */
    private static final Duration HANG = Duration.ofSeconds(30);
    /** What a process may keep after a run: caches that fill, classes that were first needed. */
    private static final long GROWTH_BYTES = 48L * 1024 * 1024;

    private static final int MOST_ANSWER_BYTES = 4 * 1024 * 1024;
    private static final Pattern STATUS = Pattern.compile("HTTP/1\\.[01] (\\d{3})");
    private static final Pattern TRACE = Pattern.compile(
            "\\n?\\s+at [\\w.$]+\\([\\w.]+:?\\d*\\)|(Exception|Error):|Caused by|dev\\.weir\\.|java\\.lang");

    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final Map<Integer, AtomicLong> statuses = new ConcurrentHashMap<>();
    private final AtomicLong next = new AtomicLong();

    void run(WeirProcess weir) throws Exception {
        System.out.println("seed of the requests: " + SEED);
        run(weir, TIME.dividedBy(3));
        long before = weir.liveBytes();
        run(weir, TIME.minus(TIME.dividedBy(3)));
        long after = weir.liveBytes();
        System.out.printf(
                "%d requests in %s: answers by status %s; live heap %d MiB, then %d MiB%n",
                next.get(), TIME, new TreeMap<>(statuses), before >> 20, after >> 20);

        assertThat(wrong).isEmpty();
        assertThat(weir.log()).doesNotContain("answered 500");
        assertThat(after - before).as("growth of the live heap").isLessThan(GROWTH_BYTES);
    }

    private void run(WeirProcess weir, Duration time) throws InterruptedException {
        long endNs = System.nanoTime() + time.toNanos();
        List<Thread> senders = new ArrayList<>();
        for (int i = 0; i < SENDERS; i++) {
            Thread sender = new Thread(() -> send(weir, endNs), "sender-" + i);
            sender.start();
            senders.add(sender);
        }
        for (Thread sender : senders) {
            sender.join();
        }
    }

    private void send(WeirProcess weir, long endNs) {
        while (System.nanoTime() < endNs && wrong.isEmpty()) {
            long number = next.getAndIncrement();
            if (number >= REQUESTS) {
                return;
            }
            HttpFuzz.Request request = HttpFuzz.request(SEED + number);
            try {
                String problem = problem(exchange(weir.port(), request), request);
                if (problem != null) {
                    wrong.add("-Dweir.seed=" + (SEED + number) + ": " + problem + "; sent: "
                            + shown(new String(request.bytes(), ISO_8859_1)));
                }
            } catch (IOException e) {
                wrong.add("-Dweir.seed=" + (SEED + number) + ": " + e + "; sent: "
                        + shown(new String(request.bytes(), ISO_8859_1)));
            }
        }
    }

    /** All that comes back until the server closes, or an answer that is complete by itself. */
    private static String exchange(int port, HttpFuzz.Request request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", port)) {
            socket.setSoTimeout((int) HANG.toMillis());
            OutputStream out = socket.getOutputStream();
            try {
                out.write(request.bytes());
                // Whatever it announced, no more comes: the server needs not wait for it.
                socket.shutdownOutput();
            } catch (SocketException e) {
                // It has answered and closed before it had read everything, as it may.
            }
            try {
                return new String(socket.getInputStream().readNBytes(MOST_ANSWER_BYTES), UTF_8);
            } catch (SocketException e) {
                return "";
            }
        }
    }

    @org.jspecify.annotations.Nullable
    private String problem(String answer, HttpFuzz.Request request) {
        Matcher status = STATUS.matcher(answer);
        if (!status.lookingAt()) {
            return answer.isEmpty() ? null : "no HTTP: " + shown(answer);
        }
        int code = Integer.parseInt(status.group(1));
        if (code == 100 && status.find()) {
            code = Integer.parseInt(status.group(1));
        }
        statuses.computeIfAbsent(code, c -> new AtomicLong()).incrementAndGet();
        if (code == 500) {
            return "500: " + shown(answer);
        }
        String body = answer.substring(Math.max(0, answer.indexOf("\r\n\r\n")));
        if (code >= 400 && TRACE.matcher(body).find()) {
            return "a stack trace or a class in an answer: " + shown(answer);
        }
        return code >= 400 && !body.isBlank() && !isProblem(body, code)
                ? "no problem in an error: " + shown(answer)
                : null;
    }

    private static boolean isProblem(String body, int status) {
        int begin = body.indexOf('{');
        int end = body.lastIndexOf('}');
        try {
            JsonNode problem = Json.MAPPER.readTree(body.substring(Math.max(0, begin), end + 1));
            // Of several requests on one connection, the first one's answer is looked at.
            return problem.path("status").asInt() == status || body.contains("HTTP/1.1 ");
        } catch (IOException e) {
            return body.contains("HTTP/1.1 ");
        }
    }

    private static String shown(String text) {
        return text.length() <= 1_500 ? text : text.substring(0, 1_500) + "… (" + text.length() + " characters)";
    }
}
