package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.throttler.Plan;
import dev.weir.throttler.PlanStart;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A plan for a person and for programs.
 *
 * @param start the plan's times count from here
 * @param live whether it starts from what a running Weir tells, not from empty windows
 * @param whatIf settings that are not in force, under the names of the configuration file; null when there are none
 */
record PlanText(
        Plan plan, Instant start, boolean live, @Nullable JsonNode whatIf, List<String> notes) {
    /** Phases shown to a person; as JSON there are all. */
    private static final int MOST_LINES = 60;

    PlanText {
        notes = List.copyOf(notes);
    }

    static PlanText fromEmptyWindows(Plan plan, Instant start, @Nullable JsonNode whatIf) {
        return new PlanText(plan, start, false, whatIf, List.of());
    }

    static PlanText fromLive(Plan plan, PlanStart start, @Nullable JsonNode whatIf, List<String> notes) {
        return new PlanText(plan, EpochNanos.toInstant(start.at()), true, whatIf, notes);
    }

    Map<String, Object> asJson() {
        List<Map<String, Object>> phases = new ArrayList<>();
        for (Plan.Phase phase : plan.phases()) {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("heldBy", phase.heldBy());
            one.put("from", phase.from());
            one.put("to", phase.to());
            one.put("fromAt", start.plus(phase.from()));
            one.put("toAt", start.plus(phase.to()));
            one.put("jobs", phase.jobs());
            phases.add(one);
        }
        Map<String, Object> whole = new LinkedHashMap<>();
        whole.put("upstream", plan.upstream());
        whole.put("startAt", start);
        whole.put("waiting", plan.waiting());
        whole.put("jobs", plan.jobs());
        whole.put("duration", plan.lastCall());
        whole.put("durationSeconds", plan.lastCall().toMillis() / 1000.0);
        if (plan.drained() != null) {
            whole.put("drainedAt", start.plus(plan.drained()));
        }
        whole.put("lastCallAt", start.plus(plan.lastCall()));
        whole.put("phases", phases);
        if (whatIf != null) {
            whole.put("whatIf", whatIf);
        }
        whole.put("notes", notes);
        if (plan.warning() != null) {
            whole.put("warning", plan.warning());
        }
        return whole;
    }

    void print(PrintWriter out) {
        if (whatIf != null) {
            out.println("What if: " + whatIf);
        }
        if (live) {
            printLive(out);
        } else {
            out.printf(
                    Locale.ROOT,
                    "%,d jobs for %s take %s from empty windows; started now, the last call is at %s%n",
                    plan.jobs(),
                    plan.upstream(),
                    text(plan.lastCall()),
                    at(plan.lastCall()));
        }
        printPhases(out);
        for (String note : notes) {
            out.printf("%nNote: %s%n", note);
        }
        if (plan.warning() != null) {
            out.printf("%nWarning: %s%n", plan.warning());
        }
    }

    private void printLive(PrintWriter out) {
        if (plan.drained() == null) {
            out.printf("Nothing waits for %s at %s%n", plan.upstream(), at(Duration.ZERO));
        } else {
            out.printf(
                    Locale.ROOT,
                    "%,d jobs wait for %s at %s; the last of them goes at %s, in %s%n",
                    plan.waiting(),
                    plan.upstream(),
                    at(Duration.ZERO),
                    at(plan.drained()),
                    text(plan.drained()));
        }
        if (plan.jobs() > 0) {
            out.printf(
                    Locale.ROOT,
                    "The last of %,d more goes at %s, in %s%n",
                    plan.jobs(),
                    at(plan.lastCall()),
                    text(plan.lastCall()));
        }
    }

    private void printPhases(PrintWriter out) {
        List<Plan.Phase> phases = plan.phases();
        if (!phases.isEmpty()) {
            out.println();
        }
        for (Plan.Phase phase : phases.subList(0, Math.min(MOST_LINES, phases.size()))) {
            out.printf(
                    Locale.ROOT,
                    "  %18s  to %18s  %s%n",
                    live ? at(phase.from()) : text(phase.from()),
                    live ? at(phase.to()) : text(phase.to()),
                    phase.jobs() > 0
                            ? String.format(Locale.ROOT, "%,d jobs at full pace", phase.jobs())
                            : phase.heldBy().startsWith("P")
                                    ? "waits: the window " + phase.heldBy() + " is full"
                                    : "waits: " + phase.heldBy());
        }
        if (phases.size() > MOST_LINES) {
            out.printf("  … and %d phases more; --json lists all%n", phases.size() - MOST_LINES);
        }
    }

    private String at(Duration fromStart) {
        return start.plus(fromStart)
                .plusMillis(500)
                .truncatedTo(ChronoUnit.SECONDS)
                .toString();
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
