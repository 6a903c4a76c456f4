package dev.weir.standalone.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import dev.weir.standalone.Lifecycle;
import dev.weir.standalone.demo.Demo;
import dev.weir.standalone.demo.DemoOptions;
import dev.weir.standalone.demo.Verdict;
import java.io.PrintWriter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;

/** {@code weir demo}. */
@Command(
        name = "demo",
        description = {
            "Everything in one process against a fake rate-limited API:",
            "submits jobs, shows their progress, and ends with what the API measured.",
            "Exits 0 only if every invariant held."
        },
        sortOptions = false)
final class DemoCommand extends PrintingCommand {
    private static final int MOST_JOBS = 1_000_000;
    private static final int MOST_RATE = 1_000_000;
    private static final int LEAST_RATE = 10;

    @Option(names = "--jobs", paramLabel = "N", description = "How many (${DEFAULT-VALUE}).", defaultValue = "3000")
    int jobs;

    @Option(
            names = "--rate",
            paramLabel = "N",
            description = "Calls that the fake API allows in any 60 s (${DEFAULT-VALUE}); 90 %% of it is used.",
            defaultValue = "1000")
    int rate;

    @Option(names = "--seconds", paramLabel = "N", description = "Stop after so long, with jobs still waiting.")
    @Nullable
    Integer seconds;

    @ParentCommand
    @Nullable
    WeirCommand weir;

    @Override
    public Integer call() throws Exception {
        check(jobs >= 1 && jobs <= MOST_JOBS, "--jobs: expected 1 to " + MOST_JOBS);
        check(rate >= LEAST_RATE && rate <= MOST_RATE, "--rate: expected " + LEAST_RATE + " to " + MOST_RATE);
        check(seconds == null || seconds >= 1, "--seconds: expected 1 or more");
        if (weir == null || !weir.debug) {
            // The screen is for the run. What goes wrong in Weir still shows; Kafka's own complaints about a cluster
            // that
            // is a second old do not: were one serious, the figures at the end would say so.
            level("dev.weir", Level.WARN);
            level("kafka", Level.OFF);
            level("org.apache.kafka", Level.OFF);
        }
        PrintWriter out = out();
        // Said by the launcher, which can ask; Java before 22 knows only about both ends together.
        boolean terminal = Boolean.getBoolean("weir.terminal") && !"dumb".equals(System.getenv("TERM"));
        DemoOptions options =
                new DemoOptions(jobs, rate, seconds == null ? null : Duration.ofSeconds(seconds), terminal);
        Lifecycle parts = new Lifecycle();
        Shutdown.closeAtExit("the demo", parts);
        try (Demo demo = new Demo(options, out, parts)) {
            Verdict verdict = demo.run();
            out.println();
            verdict.lines().forEach(out::println);
            return verdict.passed() ? 0 : WeirCommand.FAILED;
        }
    }

    private static void level(String logger, Level level) {
        ((Logger) LoggerFactory.getLogger(logger)).setLevel(level);
    }

    private void check(boolean holds, String message) {
        if (!holds) {
            throw new ParameterException(commandLine(), message);
        }
    }
}
