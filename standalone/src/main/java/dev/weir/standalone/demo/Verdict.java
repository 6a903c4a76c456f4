package dev.weir.standalone.demo;

import dev.weir.standalone.fake.Stats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * What the run proves: each invariant with what the fake API measured, held or not.
 *
 * @param lines for a person
 */
public record Verdict(boolean passed, List<String> lines) {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    /** How far a full minute by the API's clock may be from the budget: calls travel, and a busy machine delays some. */
    private static final double MINUTE_TOLERANCE = 0.01;

    private static final int LEAST_TOLERANCE = 3;

    public Verdict {
        lines = List.copyOf(lines);
    }

    /** How the jobs ended, by asking Weir for each of them. */
    record Ends(int accepted, int succeeded, int unfinished, int otherwise, String firstOther) {}

    static Verdict of(DemoOptions options, Stats stats, Ends ends, List<String> troubles) {
        List<String> lines = new ArrayList<>();
        boolean passed = troubles.isEmpty();
        lines.add(String.format(
                Locale.ROOT,
                "The fake API allows %,d calls in any rolling 60 s and saw, by its own clock:",
                options.ratePerMinute()));
        List<Integer> minutes = stats.perMinute();
        boolean fullSpan = stats.span().compareTo(MINUTE) >= 0;
        lines.add("  calls in each full minute: "
                + (fullSpan ? minutes.subList(0, minutes.size() - 1).toString() : "none, the run was shorter")
                + ", then " + (minutes.isEmpty() ? 0 : minutes.get(minutes.size() - 1)));
        if (stats.gaps() != null) {
            lines.add(String.format(
                    Locale.ROOT,
                    "  gaps between calls: median %.1f ms, 90 %% of them between %.1f and %.1f ms",
                    stats.gaps().median(),
                    stats.gaps().p5(),
                    stats.gaps().p95()));
        }
        lines.add("");
        boolean all = options.stopAfter() == null;
        List<Check> checks = new ArrayList<>();
        checks.add(new Check(
                stats.mostInRollingMinute() <= options.ratePerMinute(),
                "never over: most calls in any rolling 60 s " + stats.mostInRollingMinute() + " (budget "
                        + options.budgetPerMinute() + ", limit " + options.ratePerMinute() + ")"));
        checks.add(new Check(stats.tooManyRequests() == 0, "429 answers: " + stats.tooManyRequests()));
        checks.add(new Check(fullMinutes(options, minutes), "never under: every full minute has the whole budget"));
        checks.add(new Check(stats.duplicates() == 0, "calls made twice: " + stats.duplicates()));
        checks.add(new Check(
                all ? stats.distinctJobs() == options.jobs() : stats.distinctJobs() <= options.jobs(),
                "distinct jobs called: " + stats.distinctJobs() + " of " + options.jobs()));
        checks.add(new Check(
                ends.otherwise() == 0 && (!all || (ends.succeeded() == options.jobs() && ends.unfinished() == 0)),
                "accepted " + ends.accepted() + ", succeeded " + ends.succeeded()
                        + (ends.unfinished() == 0 ? "" : ", still waiting " + ends.unfinished())
                        + (ends.otherwise() == 0
                                ? ", lost or failed none"
                                : ", otherwise " + ends.otherwise() + " (the first: " + ends.firstOther() + ")")));
        for (Check check : checks) {
            lines.add((check.held() ? "  ok    " : "  FAIL  ") + check.text());
            passed &= check.held();
        }
        for (String trouble : troubles) {
            lines.add("  FAIL  " + trouble);
        }
        lines.add("");
        lines.add(passed ? "PASS: every invariant held" : "FAIL: see the lines marked FAIL");
        return new Verdict(passed, lines);
    }

    private static boolean fullMinutes(DemoOptions options, List<Integer> minutes) {
        long budget = options.budgetPerMinute();
        double tolerance = Math.max(LEAST_TOLERANCE, budget * MINUTE_TOLERANCE);
        return minutes.stream().limit(Math.max(0, minutes.size() - 1)).allMatch(n -> Math.abs(n - budget) <= tolerance);
    }

    private record Check(boolean held, String text) {}
}
