package dev.weir.standalone.demo;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/** Shows the run: one screen that is redrawn on a terminal, a plain line now and then anywhere else. Not thread-safe. */
final class Screen {
    private static final Duration LINE_EVERY = Duration.ofSeconds(5);
    private static final int BAR_SECONDS = 60;
    private static final String STEPS = " ▁▂▃▄▅▆▇█";

    private final PrintWriter out;
    private final DemoOptions options;
    private int drawn;
    private Duration nextLine = Duration.ZERO;

    Screen(PrintWriter out, DemoOptions options) {
        this.out = out;
        this.options = options;
    }

    void show(Snapshot now) {
        if (options.live()) {
            redraw(List.of(
                    "",
                    "  " + bar(now) + "  " + time(now.elapsed()),
                    String.format(
                            Locale.ROOT,
                            "  accepted %,d   waiting %,d   in flight %d   done %,d of %,d",
                            now.accepted(),
                            now.waiting(),
                            now.inFlight(),
                            now.done(),
                            options.jobs()),
                    String.format(
                            Locale.ROOT,
                            "  calls in the last 60 s: %,d of %,d (the API allows %,d)%s",
                            now.callsInLastMinute(),
                            options.budgetPerMinute(),
                            options.ratePerMinute(),
                            now.heldBy().isEmpty() ? "" : ", held by " + now.heldBy()),
                    "  last call at about " + (now.drainedAt().isEmpty() ? "-" : now.drainedAt()),
                    "  calls per second  " + spark(now.perSecond()),
                    ""));
        } else if (now.elapsed().compareTo(nextLine) >= 0) {
            nextLine = now.elapsed().plus(LINE_EVERY);
            out.printf(
                    Locale.ROOT,
                    "%s  accepted %d  waiting %d  in flight %d  done %d of %d  last 60 s %d of %d%s%n",
                    time(now.elapsed()),
                    now.accepted(),
                    now.waiting(),
                    now.inFlight(),
                    now.done(),
                    options.jobs(),
                    now.callsInLastMinute(),
                    options.budgetPerMinute(),
                    now.drainedAt().isEmpty() ? "" : "  eta " + now.drainedAt());
            out.flush();
        }
    }

    private void redraw(List<String> lines) {
        if (drawn > 0) {
            // So many lines up, then clear from there on.
            out.printf("\u001b[%dA\u001b[J", drawn);
        }
        lines.forEach(out::println);
        out.flush();
        drawn = lines.size();
    }

    private String bar(Snapshot now) {
        int width = 50;
        int filled = (int) Math.min(width, now.done() * width / Math.max(1, options.jobs()));
        return "[" + "#".repeat(filled) + ".".repeat(width - filled) + "]";
    }

    private static String spark(List<Integer> perSecond) {
        List<Integer> last = perSecond.subList(Math.max(0, perSecond.size() - BAR_SECONDS), perSecond.size());
        int most = last.stream().mapToInt(Integer::intValue).max().orElse(0);
        StringBuilder bar = new StringBuilder();
        for (int count : last) {
            bar.append(STEPS.charAt(most == 0 ? 0 : (int) Math.ceil((double) count * (STEPS.length() - 1) / most)));
        }
        return bar + (most == 0 ? "" : "  (most " + most + ")");
    }

    private static String time(Duration elapsed) {
        return String.format(Locale.ROOT, "%02d:%02d", elapsed.toMinutes(), elapsed.toSecondsPart());
    }
}
