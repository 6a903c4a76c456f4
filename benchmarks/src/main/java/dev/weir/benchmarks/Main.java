package dev.weir.benchmarks;

import java.util.Arrays;
import picocli.CommandLine;

/** {@code broker}: the one with the real broker, with its own options; anything else is for JMH. */
public final class Main {
    private static final String BROKER = "broker";

    private Main() {}

    public static void main(String[] args) throws Exception {
        if (args.length > 0 && args[0].equals(BROKER)) {
            System.exit(new CommandLine(new BrokerBenchmark()).execute(Arrays.copyOfRange(args, 1, args.length)));
        }
        org.openjdk.jmh.Main.main(args);
    }
}
