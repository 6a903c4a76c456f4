package dev.weir.benchmarks;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine;

/** Those with a real broker, by name, with options of their own; anything else is for JMH. */
public final class Main {
    private static final Map<String, Supplier<Callable<Integer>>> REAL = Map.of(
            "broker", BrokerBenchmark::new,
            "backlog", BacklogBenchmark::new,
            "groups", GroupsBenchmark::new,
            "dispatcher", DispatcherBenchmark::new,
            "intake", IntakeBenchmark::new,
            "status", StatusBenchmark::new);

    private Main() {}

    public static void main(String[] args) throws Exception {
        if (args.length > 0 && REAL.containsKey(args[0])) {
            System.exit(new CommandLine(REAL.get(args[0]).get()).execute(Arrays.copyOfRange(args, 1, args.length)));
        }
        org.openjdk.jmh.Main.main(args);
    }
}
