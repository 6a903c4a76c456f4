package dev.weir.standalone.cli;

import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.Json;
import dev.weir.throttler.Plan;
import dev.weir.throttler.upstream.Settings;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weir plan}. */
@Command(
        name = "plan",
        description =
                "How long so many jobs take under an upstream's windows, from empty ones, without running anything.")
final class PlanCommand implements Callable<Integer> {
    /** Phases shown to a person; {@code --json} has all of them. */
    private static final int MOST_LINES = 60;

    @Option(names = "--upstream", required = true, paramLabel = "NAME", description = "Of the configuration.")
    String upstream = "";

    @Option(names = "--jobs", required = true, paramLabel = "N", description = "How many jobs.")
    long jobs;

    @Mixin
    ConfigOption config = new ConfigOption();

    @Option(names = "--json", description = "Machine-readable output.")
    boolean json;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("not run by the command line");
        }
        if (jobs < 1 || jobs > Plan.MAX_JOBS) {
            throw new ParameterException(spec.commandLine(), "--jobs: expected 1 to " + Plan.MAX_JOBS);
        }
        WeirConfig loaded = config.load(System.getenv());
        UpstreamConfig known = loaded.upstreams().get(upstream);
        if (known == null) {
            throw new CliException("there is no upstream " + upstream + " in the configuration; it has "
                    + String.join(", ", loaded.upstreams().keySet()));
        }
        Plan plan = Plan.of(Settings.of(known.name(), known.settings()), jobs);
        Instant start = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(new String(Json.bytes(asJson(plan, start)), StandardCharsets.UTF_8));
        } else {
            print(out, plan, start);
        }
        return 0;
    }

    private static Map<String, Object> asJson(Plan plan, Instant start) {
        List<Map<String, Object>> phases = new ArrayList<>();
        for (Plan.Phase phase : plan.phases()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("heldBy", phase.heldBy());
            one.put("from", phase.from());
            one.put("to", phase.to());
            one.put("jobs", phase.jobs());
            phases.add(one);
        }
        Map<String, Object> whole = new LinkedHashMap<>();
        whole.put("upstream", plan.upstream());
        whole.put("jobs", plan.jobs());
        whole.put("duration", plan.lastCall());
        whole.put("durationSeconds", plan.lastCall().toMillis() / 1000.0);
        whole.put("lastCallAt", start.plus(plan.lastCall()));
        whole.put("phases", phases);
        if (plan.warning() != null) {
            whole.put("warning", plan.warning());
        }
        return whole;
    }

    private static void print(PrintWriter out, Plan plan, Instant start) {
        out.printf(
                Locale.ROOT,
                "%,d jobs for %s take %s from empty windows; started now, the last call is at %s%n%n",
                plan.jobs(),
                plan.upstream(),
                text(plan.lastCall()),
                start.plus(plan.lastCall()).truncatedTo(ChronoUnit.SECONDS));
        List<Plan.Phase> phases = plan.phases();
        for (Plan.Phase phase : phases.subList(0, Math.min(MOST_LINES, phases.size()))) {
            out.printf(
                    Locale.ROOT,
                    "  %18s  to %18s  %s%n",
                    text(phase.from()),
                    text(phase.to()),
                    phase.jobs() == 0
                            ? "waits: the window " + phase.heldBy() + " is full"
                            : String.format(Locale.ROOT, "%,d jobs at full pace", phase.jobs()));
        }
        if (phases.size() > MOST_LINES) {
            out.printf("  … and %d phases more; --json lists all%n", phases.size() - MOST_LINES);
        }
        if (plan.warning() != null) {
            out.printf("%nWarning: %s%n", plan.warning());
        }
    }

    /** Such as {@code 25 h 05 min 32 s}. */
    private static String text(Duration duration) {
        Duration rounded = duration.plusMillis(500).truncatedTo(ChronoUnit.SECONDS);
        return String.format(
                Locale.ROOT,
                "%d h %02d min %02d s",
                rounded.toHours(),
                rounded.toMinutesPart(),
                rounded.toSecondsPart());
    }
}
