package dev.weir.throttler.simulation;

import dev.weir.throttler.quota.QuotaWindow;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/**
 * Counts everything again at the end, from nothing but timestamps: in each window of each length that was ever in force, the
 * slots against the highest budget and the calls against the highest limit under which any of them was given.
 */
final class Recount {
    /** @param windows in force when the permit was given */
    private record Event(long at, int cost, List<QuotaWindow> windows) {}

    private Recount() {}

    static void check(List<ReferenceQuota.Given> given, List<FakeUpstream.Arrival> arrivals) {
        List<Event> slots = given.stream()
                .filter(g -> g.cost > 0)
                .map(g -> new Event(g.slot, g.cost, g.settings.windows()))
                .toList();
        List<Event> calls = arrivals.stream()
                .map(a -> new Event(
                        a.at(), a.cost(), given.get((int) a.permit()).settings.windows()))
                .toList();
        Stream.concat(slots.stream(), calls.stream())
                .flatMap(e -> e.windows().stream())
                .map(QuotaWindow::per)
                .distinct()
                .forEach(per -> {
                    check("slots", slots, per, QuotaWindow::budget);
                    check("calls", calls, per, QuotaWindow::limit);
                });
    }

    private static void check(String what, List<Event> events, Duration per, ToLongFunction<QuotaWindow> allowed) {
        List<Event> sorted =
                events.stream().sorted(Comparator.comparingLong(Event::at)).toList();
        long[] most = sorted.stream().mapToLong(e -> most(e, per, allowed)).toArray();
        long[] at = sorted.stream().mapToLong(Event::at).toArray();
        int[] cost = sorted.stream().mapToInt(Event::cost).toArray();
        for (int from = 0; from < at.length; from++) {
            long inside = 0;
            long highest = 0;
            for (int to = from; to < at.length && at[to] < at[from] + per.toNanos(); to++) {
                inside += cost[to];
                highest = Math.max(highest, most[to]);
            }
            if (inside > highest) {
                throw new AssertionError(inside + " " + what + " within " + per + " from " + at[from] + " on, at most "
                        + highest + " are allowed");
            }
        }
    }

    /** Whatever one likes while there is no such window. */
    private static long most(Event event, Duration per, ToLongFunction<QuotaWindow> allowed) {
        return event.windows().stream()
                .filter(w -> w.per().equals(per))
                .mapToLong(allowed)
                .findAny()
                .orElse(Long.MAX_VALUE);
    }
}
