package dev.weir.benchmarks;

import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.standalone.cli.PrintingCommand;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The throttler beside bare stores on a real broker. In each round all take the same requests and give them out again, one after
 * the other, each on a fresh broker after what the one before left was deleted; who goes first changes.
 */
@Command(
        name = "broker",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Jobs taken into lanes and permits released, beside a bare store's puts and deletes.")
final class BrokerBenchmark extends PrintingCommand {
    private static final double GOAL = 0.7;
    private static final String RATE_HEADER = "/s µs CPU";
    /** All in one task, so that each has one thread, one store and one transaction. */
    static final int PARTITION = 0;

    /** They were accepted at 20,000 a second. */
    private static final Duration BETWEEN_JOBS = Duration.ofNanos(50_000);

    /** Of one upstream's jobs, given out in a row: the throttler's own. */
    private static final int TURNS_PER_STEP = 64;

    /** The ids of the round's jobs, in the order in which the throttler gives them out, from lane to lane. */
    private final List<String> order = new ArrayList<>();

    @Option(names = "--jobs", description = "In each round.")
    int jobs = 200_000;

    @Option(names = "--rounds", description = "That count.")
    int rounds = 3;

    @Option(
            names = "--warm-ups",
            description = "Rounds before them: whoever has more code takes longer until all of it is compiled.")
    int warmUps = 5;

    @Option(names = "--lanes", description = "Lanes over all.")
    int lanes = 100;

    @Option(names = "--body", description = "Bytes of each request's body.")
    int bodyBytes = 1024;

    @Option(names = "--alone", description = "The throttler alone, such as for a profile.")
    boolean alone;

    @Option(names = "--until", description = "The last part of a round: ${COMPLETION-CANDIDATES}.")
    Contender.Phase last = Contender.Phase.OUTCOMES;

    @Option(names = "--bare-every", description = "Milliseconds between the bare store's punctuations.")
    int bareEveryMs = 1;

    @Option(names = "--bare-budget", description = "Milliseconds that each of them may take.")
    int bareBudgetMs = 30;

    @Option(
            names = "--bare-unwaiting",
            description = "The bare store does not wait for records either while it has more to give out.")
    boolean bareUnwaiting;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = out();
        List<String> upstreams =
                upstreams((jobs + UpstreamSettings.MOST_IN_FLIGHT - 1) / UpstreamSettings.MOST_IN_FLIGHT);
        WeirContender weir = new WeirContender(upstreams);
        List<Contender> contenders =
                alone ? List.of(weir) : List.of(weir, bare(BareStore.Records.FEWEST), bare(BareStore.Records.SAME));
        Map<String, List<Map<Contender.Phase, Contender.Rate>>> rates = new LinkedHashMap<>();
        MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
        if (heap.getInit() != heap.getMax()) {
            out.println(
                    "the heap grows while it is measured, at the cost of whoever allocates more: use -Xms and -Xmx of the"
                            + " same size, such as java -Xms2g -Xmx2g -XX:+AlwaysPreTouch -jar ...");
        }
        out.printf("%-22s", "");
        for (Contender.Phase phase : EnumSet.range(Contender.Phase.INTAKE, last)) {
            out.printf("%18s", phase.name().toLowerCase(Locale.ROOT) + RATE_HEADER);
        }
        out.println();
        for (int round = 1 - warmUps; round <= rounds; round++) {
            List<Contender> turns = new ArrayList<>(contenders);
            Collections.rotate(turns, round + warmUps);
            Instant first = Instant.now().minus(BETWEEN_JOBS.multipliedBy(jobs));
            for (Contender contender : turns) {
                Map<Contender.Phase, Contender.Rate> run;
                // What the machine gives a process anew, memory for its files above all, may cost more than what was
                // just given back: each finds what the one before it gave back.
                try (Broker broker = new Broker()) {
                    produce(broker, upstreams, first);
                    run = contender.run(broker, jobs, last);
                }
                String name = round <= 0 ? "warm-up" : Integer.toString(round);
                row(out, name, contender.name(), run);
                if (round > 0) {
                    rates.computeIfAbsent(contender.name(), c -> new ArrayList<>())
                            .add(run);
                }
            }
        }
        rates.forEach((name, runs) -> row(out, "median", name, medians(runs)));
        List<Map<Contender.Phase, Contender.Rate>> ours = rates.remove(weir.name());
        if (ours == null) {
            throw new IllegalStateException("no round counted: use --rounds 1 or more");
        }
        rates.forEach((name, theirs) -> {
            out.printf("%-22s", "ratio to " + name);
            for (Contender.Phase phase : theirs.get(0).keySet()) {
                out.printf(
                        "%10.2f%8.2f",
                        ratio(ours, theirs, run -> rate(run, phase).perSecond()),
                        ratio(theirs, ours, run -> rate(run, phase).cpuUs()));
            }
            out.printf("   medians of the rounds' ratios; goal: %s of the rate%n", GOAL);
        });
        out.flush();
        return 0;
    }

    private Contender bare(BareStore.Records records) {
        return new BareContender(
                records,
                order,
                new BareStore.Pace(Duration.ofMillis(bareEveryMs), Duration.ofMillis(bareBudgetMs), !bareUnwaiting));
    }

    /** @param first when the first was accepted: the same requests for the same */
    private void produce(Broker broker, List<String> upstreams, Instant first) {
        String body = "{\"text\":\"" + "x".repeat(Math.max(0, bodyBytes - 11)) + "\"}";
        int lanesEach = Math.max(1, lanes / upstreams.size());
        List<String> ids = new ArrayList<>(jobs);
        try (Feed feed = broker.feed()) {
            for (int i = 0; i < jobs; i++) {
                String upstream = upstreams.get(i % upstreams.size());
                String tenant = Quota.tenant(i / upstreams.size() % lanesEach);
                JobRequest job = Jobs.job(upstream, tenant, i, first.plus(BETWEEN_JOBS.multipliedBy(i)), body);
                ids.add(job.id());
                feed.send(Topics.REQUESTS, upstream, Json.bytes(job));
            }
        }
        inTurns(ids, upstreams.size());
    }

    /** Each upstream's lanes have the same weight, and its jobs came to them in turn: they go out as they came. */
    private void inTurns(List<String> ids, int upstreams) {
        order.clear();
        for (int step = 0; order.size() < ids.size(); step++) {
            for (int upstream = 0; upstream < upstreams; upstream++) {
                for (int turn = 0; turn < TURNS_PER_STEP; turn++) {
                    int i = (step * TURNS_PER_STEP + turn) * upstreams + upstream;
                    if (i < ids.size()) {
                        order.add(ids.get(i));
                    }
                }
            }
        }
    }

    private static List<String> upstreams(int count) {
        List<String> out = new ArrayList<>();
        for (int i = 0; out.size() < count; i++) {
            String name = "api-" + i;
            if (Topics.partitionOf(name, Topics.UPSTREAM_PARTITIONS) == PARTITION) {
                out.add(name);
            }
        }
        return out;
    }

    private static void row(PrintWriter out, String round, String name, Map<Contender.Phase, Contender.Rate> rates) {
        out.printf("%-8s%-14s", round, name);
        rates.values().forEach(rate -> out.printf(Locale.ROOT, "%10.0f%8.1f", rate.perSecond(), rate.cpuUs()));
        out.println();
        out.flush();
    }

    private static Contender.Rate rate(Map<Contender.Phase, Contender.Rate> run, Contender.Phase phase) {
        return Objects.requireNonNull(run.get(phase), () -> "a run without " + phase);
    }

    private static Map<Contender.Phase, Contender.Rate> medians(List<Map<Contender.Phase, Contender.Rate>> runs) {
        Map<Contender.Phase, Contender.Rate> medians = new EnumMap<>(Contender.Phase.class);
        for (Contender.Phase phase : runs.get(0).keySet()) {
            medians.put(phase, median(runs.stream().map(run -> rate(run, phase)).toList()));
        }
        return medians;
    }

    private static Contender.Rate median(List<Contender.Rate> rates) {
        return new Contender.Rate(
                median(rates.stream().mapToDouble(Contender.Rate::perSecond)),
                median(rates.stream().mapToDouble(Contender.Rate::cpuUs)));
    }

    /** Of each round, and then the median: the machine's speed changes from round to round, and for both. */
    private static double ratio(
            List<Map<Contender.Phase, Contender.Rate>> of,
            List<Map<Contender.Phase, Contender.Rate>> to,
            ToDoubleFunction<Map<Contender.Phase, Contender.Rate>> figure) {
        return median(IntStream.range(0, of.size())
                .mapToDouble(i -> figure.applyAsDouble(of.get(i)) / figure.applyAsDouble(to.get(i))));
    }

    private static double median(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
