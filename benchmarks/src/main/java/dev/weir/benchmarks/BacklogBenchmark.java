package dev.weir.benchmarks;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.standalone.cli.PrintingCommand;
import dev.weir.throttler.Throttler;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * A throttler in a process of its own with a small heap, a backlog, and a kill in the middle: how long the backlog takes to
 * come in and to come back, and whether the pace holds meanwhile. Every permit is answered, as a dispatcher would.
 */
@Command(
        name = "backlog",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "A backlog in a small heap: taken in, released at pace, restored after kill -9.")
final class BacklogBenchmark extends PrintingCommand {
    static final UpstreamSettings SETTINGS = UpstreamSettings.of(
            new Limit(1000, Duration.ofMinutes(1)),
            new Limit(50_000, Duration.ofHours(1)),
            new Limit(500_000, Duration.ofDays(1)));

    private static final int BUDGET = 900;
    private static final int TENANTS = 50;

    @Option(names = "--jobs", description = "In the backlog.")
    int jobs = 1_000_000;

    @Option(names = "--body", description = "Bytes of each request's body.")
    int bodyBytes = 1024;

    @Option(names = "--heap", description = "Of the throttler's process, as Java takes it.")
    String heap = "1g";

    @Option(names = "--minutes", description = "That are watched before the kill, and after it.")
    int minutes = 2;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = out();
        try (Broker broker = new Broker();
                AnsweringDispatcher dispatcher = new AnsweringDispatcher(broker)) {
            produce(broker);
            dispatcher.start();
            long started = System.nanoTime();
            ThrottlerProcess first = new ThrottlerProcess(broker, heap);
            Broker.await("the backlog", () -> {
                first.requireAlive();
                return broker.committed(Throttler.APPLICATION_ID, Topics.REQUESTS) >= jobs;
            });
            double tookIn = seconds(started);
            out.printf("taken in        %,d jobs in %.0f s (%,.0f/s)%n", jobs, tookIn, jobs / tookIn);
            watch(dispatcher);
            out.printf("memory          %s%n", first.memory());
            first.kill();
            int before = dispatcher.slots();
            long killed = System.nanoTime();
            ThrottlerProcess second = new ThrottlerProcess(broker, heap);
            Broker.await("a permit after the kill", () -> {
                second.requireAlive();
                return dispatcher.slots() > before;
            });
            out.printf("after kill -9   the next permit came %.1f s after the start%n", seconds(killed));
            watch(dispatcher);
            out.printf("memory          %s%n", second.memory());
            second.kill();
            int most = dispatcher.mostWithin(Duration.ofMinutes(1));
            out.printf(
                    "pace            %d permits; at most %d in any rolling minute, budget %d; %s%n",
                    dispatcher.slots(), most, BUDGET, dispatcher.fullMinutes());
            out.flush();
            return most <= BUDGET ? 0 : 1;
        }
    }

    private void watch(AnsweringDispatcher dispatcher) {
        int before = dispatcher.slots();
        Broker.pause(Duration.ofMinutes(minutes));
        if (dispatcher.slots() == before) {
            throw new IllegalStateException("no permit came for " + minutes + " minutes");
        }
    }

    private void produce(Broker broker) {
        String body = "{\"text\":\"" + "x".repeat(Math.max(0, bodyBytes - 11)) + "\"}";
        Instant now = Instant.now();
        try (Feed feed = broker.feed()) {
            for (int i = 0; i < jobs; i++) {
                feed.send(
                        Topics.REQUESTS,
                        Quota.UPSTREAM,
                        Json.bytes(Jobs.job(Quota.UPSTREAM, Quota.tenant(i % TENANTS), i, now, body)));
            }
        }
    }

    private static double seconds(long sinceNanos) {
        return (System.nanoTime() - sinceNanos) / 1e9;
    }
}
