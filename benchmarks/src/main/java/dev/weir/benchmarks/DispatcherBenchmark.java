package dev.weir.benchmarks;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.standalone.cli.PrintingCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * One dispatcher process at a fixed rate against an upstream that takes its time, and beside it a bare loop around the JDK's
 * HTTP client that makes the same calls. What counts is how many are answered, how late each starts, and what it costs.
 */
@Command(
        name = "dispatcher",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Calls a second from one dispatcher, and their lateness, beside a bare HTTP client.")
final class DispatcherBenchmark extends PrintingCommand {
    static final String PATH = "/v1/x";
    static final String BODY = "{\"text\":\"" + "x".repeat(200) + "\"}";
    private static final Duration TTL = Duration.ofSeconds(3);
    private static final long TIMEOUT_MS = 30_000;
    /** As far ahead as the throttle commits permits. */
    private static final Duration AHEAD = Duration.ofMillis(600);

    private static final Duration COMMIT_EVERY = Duration.ofMillis(100);
    private static final Duration POLL = Duration.ofMillis(100);
    /** So much slower is the start. */
    private static final long SLOW = 4;

    private static final long NS_PER_SECOND = 1_000_000_000L;

    @Option(names = "--rate", description = "Calls a second.")
    int rate = 1000;

    @Option(names = "--latency", description = "Milliseconds from a call's arrival to its answer.")
    int latencyMs = 1000;

    @Option(names = "--seconds", description = "Of each round, at the full rate.")
    int seconds = 20;

    @Option(
            names = "--uncounted",
            description = "Seconds at the start of each round that do not count, at a quarter of the rate.")
    int uncounted = 8;

    @Option(names = "--rounds", description = "Of each; they take turns.")
    int rounds = 2;

    @Option(names = "--heap", description = "Of each process, as Java takes it.")
    String heap = "1g";

    @Override
    public Integer call() throws Exception {
        PrintWriter out = out();
        out.printf(
                "%-12s%10s%8s%10s%10s%10s%14s%10s%10s%n",
                "", "calls/s", "failed", "p50 ms", "p99 ms", "max ms", "within 10 ms", "CPU us", "threads");
        Child upstream = new Child(
                heap,
                "dev.weir.standalone.Main",
                "fake-upstream",
                "--port",
                "0",
                "--no-limit",
                "--latency",
                latencyMs + "ms");
        String ready = upstream.line("ready on");
        String url = ready.replaceAll(".*(http://\\S+?) .*", "$1");
        try {
            for (int round = 0; round < rounds; round++) {
                row(out, "bare client", bare(url));
                row(out, "dispatcher", dispatcher(url));
            }
        } finally {
            upstream.kill();
        }
        return 0;
    }

    /** When call {@code i} is due, in nanoseconds from the start: slower at first, while everything gets warm. */
    static long slotNanos(int i, long rate, long uncounted) {
        int slow = uncountedCalls(rate, uncounted);
        return i < slow
                ? i * SLOW * NS_PER_SECOND / rate
                : uncounted * NS_PER_SECOND + (i - slow) * NS_PER_SECOND / rate;
    }

    static int uncountedCalls(long rate, long uncounted) {
        return Math.toIntExact(rate * uncounted / SLOW);
    }

    private Measured bare(String url) throws Exception {
        Child child = new Child(
                heap,
                BareCalls.class.getName(),
                url,
                Integer.toString(rate),
                Integer.toString(seconds),
                Integer.toString(uncounted));
        Broker.pause(Duration.ofSeconds(uncounted + seconds - 1L));
        int threads = child.threads();
        String figures = child.line(Figures.PREFIX);
        Duration cpu = child.cpu();
        child.kill();
        return new Measured(Figures.read(figures), cpu, threads);
    }

    private Measured dispatcher(String url) throws Exception {
        try (Broker broker = new Broker();
                Broker.Tail outcomes = broker.tail(Topics.OUTCOMES)) {
            Child child = new Child(
                    heap, DispatcherProcess.class.getName(), broker.settings().bootstrapServers(), url);
            child.line(DispatcherProcess.READY);
            int calls = uncountedCalls(rate, uncounted) + rate * seconds;
            Instant first = new AnchoredClock().instant().plus(AHEAD.multipliedBy(2));
            Thread feeder = new Thread(() -> feed(broker, first, calls), "feeder");
            feeder.start();
            List<Outcome> seen = new ArrayList<>();
            int[] threads = new int[1];
            Broker.await("the outcomes", () -> {
                outcomes.poll(POLL, value -> seen.add(Json.read(value, Outcome.class)));
                threads[0] = Math.max(threads[0], child.threads());
                return seen.size() >= calls;
            });
            feeder.join();
            Duration cpu = child.cpu();
            child.kill();
            return new Measured(figures(seen, first), cpu, threads[0]);
        }
    }

    private Figures figures(List<Outcome> seen, Instant first) {
        Instant from = first.plusSeconds(uncounted);
        Instant end = from;
        List<Long> lateness = new ArrayList<>();
        long failed = 0;
        for (Outcome outcome : seen) {
            Instant started = outcome.startedAt();
            if (outcome.kind() != Outcome.Kind.ANSWERED || started == null) {
                failed++;
            } else if (!outcome.slot().isBefore(from)) {
                lateness.add(Duration.between(outcome.slot(), started).toNanos());
                end = end.isBefore(outcome.endedAt()) ? outcome.endedAt() : end;
            }
        }
        return Figures.of(
                lateness.stream().mapToLong(Long::longValue).toArray(),
                lateness.size(),
                failed,
                Duration.between(from, end).toNanos() / (double) NS_PER_SECOND);
    }

    /** Permits with a slot each, evenly, a little ahead of their time. */
    private void feed(Broker broker, Instant first, int calls) {
        AnchoredClock clock = new AnchoredClock();
        Call call = new Call("POST", PATH, Map.of("content-type", "application/json"), BODY, null);
        try (Feed feed = broker.feed()) {
            for (int i = 0; i < calls; i++) {
                Instant slot = first.plusNanos(slotNanos(i, rate, uncounted));
                while (clock.instant().plus(AHEAD).isBefore(slot)) {
                    Broker.pause(COMMIT_EVERY);
                }
                Permit permit = new Permit(
                        Permit.VERSION,
                        UUID.randomUUID().toString(),
                        "local",
                        Quota.UPSTREAM,
                        i,
                        slot,
                        slot.plus(TTL),
                        1,
                        TIMEOUT_MS,
                        call,
                        null);
                feed.send(Topics.DISPATCH, permit.jobId(), Json.bytes(permit));
            }
        }
    }

    private void row(PrintWriter out, String name, Measured measured) {
        Figures f = measured.figures();
        out.printf(
                Locale.ROOT,
                "%-12s%10.1f%8d%10.2f%10.2f%10.2f%13.2f%%%10.0f%10d%n",
                name,
                f.perSecond(),
                f.failed(),
                f.p50Ms(),
                f.p99Ms(),
                f.maxMs(),
                f.within10Ms() * 100,
                measured.cpu().toNanos() / 1000.0 / (uncountedCalls(rate, uncounted) + rate * seconds),
                measured.threads());
        out.flush();
    }

    private record Measured(Figures figures, Duration cpu, int threads) {}

    /** What one round brought; lateness is from a call's time to its start. */
    record Figures(double perSecond, long failed, double p50Ms, double p99Ms, double maxMs, double within10Ms) {
        static final String PREFIX = "figures ";
        private static final double NS_PER_MS = 1e6;

        static Figures of(long[] latenessNs, long answered, long failed, double seconds) {
            long[] sorted = latenessNs.clone();
            Arrays.sort(sorted);
            long within =
                    Arrays.stream(sorted).filter(ns -> ns <= 10 * NS_PER_MS).count();
            return new Figures(
                    answered / seconds,
                    failed,
                    quantile(sorted, 0.5),
                    quantile(sorted, 0.99),
                    quantile(sorted, 1),
                    within / (double) sorted.length);
        }

        private static double quantile(long[] sorted, double quantile) {
            return sorted[(int) Math.round(quantile * (sorted.length - 1))] / NS_PER_MS;
        }

        void print() {
            System.out.println(PREFIX + new String(Json.bytes(this), StandardCharsets.UTF_8));
        }

        static Figures read(String line) {
            return Json.read(
                    line.substring(line.indexOf(PREFIX) + PREFIX.length()).getBytes(StandardCharsets.UTF_8),
                    Figures.class);
        }
    }

    /** A Java process that ends with this one. */
    private static final class Child {
        private final Process process;
        private final BufferedReader out;

        Child(String heap, String mainClass, String... arguments) throws IOException {
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx" + heap,
                    "-cp",
                    System.getProperty("java.class.path"),
                    mainClass));
            command.addAll(List.of(arguments));
            process = new ProcessBuilder(command)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            out = process.inputReader(StandardCharsets.UTF_8);
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        }

        /** The next line that has this in it. */
        String line(String part) throws IOException {
            for (String line = out.readLine(); line != null; line = out.readLine()) {
                if (line.contains(part)) {
                    return line;
                }
            }
            throw new IllegalStateException("the process ended before it said: " + part);
        }

        Duration cpu() {
            return process.info().totalCpuDuration().orElse(Duration.ZERO);
        }

        int threads() {
            try {
                return Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status")).stream()
                        .filter(line -> line.startsWith("Threads:"))
                        .mapToInt(line -> Integer.parseInt(line.substring(line.indexOf('\t') + 1)))
                        .findFirst()
                        .orElse(0);
            } catch (IOException e) {
                return 0;
            }
        }

        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
        }
    }
}
