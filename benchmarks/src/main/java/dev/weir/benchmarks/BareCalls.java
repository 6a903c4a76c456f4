package dev.weir.benchmarks;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * The same calls as a dispatcher makes, by a loop around the JDK's {@link HttpClient} in a process of its own: no broker, no
 * permits, no outcomes. Each call is sent at its time; one line tells at the end.
 */
final class BareCalls {
    private static final long NS_PER_SECOND = 1_000_000_000L;
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    private BareCalls() {}

    /** The upstream, calls a second, for how many seconds, and how many of the first do not count. */
    public static void main(String[] args) {
        URI target = URI.create(args[0] + DispatcherBenchmark.PATH);
        long rate = Long.parseLong(args[1]);
        long warmUp = Long.parseLong(args[3]);
        int uncounted = DispatcherBenchmark.uncountedCalls(rate, warmUp);
        int calls = uncounted + Math.toIntExact(rate * Long.parseLong(args[2]));
        long[] lateness = new long[calls];
        AtomicLong answered = new AtomicLong();
        AtomicLong failed = new AtomicLong();
        AtomicLong ended = new AtomicLong();
        AtomicLong lastEnd = new AtomicLong();
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        long first = System.nanoTime() + NS_PER_SECOND;
        for (int i = 0; i < calls; i++) {
            long slot = first + DispatcherBenchmark.slotNanos(i, rate, warmUp);
            for (long left = slot - System.nanoTime(); left > 0; left = slot - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            HttpRequest request = request(target);
            lateness[i] = System.nanoTime() - slot;
            boolean counts = i >= uncounted;
            var unused = client.sendAsync(request, HttpResponse.BodyHandlers.ofByteArray())
                    .whenComplete((response, failure) -> {
                        if (failure != null || response.statusCode() != 200) {
                            failed.incrementAndGet();
                        } else if (counts) {
                            answered.incrementAndGet();
                        }
                        lastEnd.accumulateAndGet(System.nanoTime(), Math::max);
                        ended.incrementAndGet();
                    });
        }
        Broker.await("the answers", () -> ended.get() >= calls);
        double seconds = (lastEnd.get() - first - warmUp * NS_PER_SECOND) / (double) NS_PER_SECOND;
        DispatcherBenchmark.Figures.of(
                        java.util.Arrays.copyOfRange(lateness, uncounted, calls), answered.get(), failed.get(), seconds)
                .print();
    }

    private static HttpRequest request(URI target) {
        String id = UUID.randomUUID().toString();
        return HttpRequest.newBuilder(target)
                .timeout(TIMEOUT)
                .header("Content-Type", "application/json")
                .header("X-Job-Id", id)
                .header("Idempotency-Key", id)
                .header("X-Attempt", "1")
                .header("traceparent", TRACE)
                .POST(HttpRequest.BodyPublishers.ofString(DispatcherBenchmark.BODY))
                .build();
    }
}
