package dev.weir.throttler.simulation;

import dev.weir.throttler.quota.QuotaWindow;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Counts everything again at the end, from nothing but timestamps: in each window of each length that was ever in force, the
 * slots against the highest budget and the calls against the highest limit under which any of them was given.
 */
record Recount(List<Event> slots, List<Event> calls) {
    /** @param windows in force when the permit was given */
    record Event(long at, int cost, List<QuotaWindow> windows) {}

    static Recount of(List<ReferenceQuota.Given> given, List<FakeUpstream.Arrival> arrivals) {
        return new Recount(
                given.stream()
                        .map(g -> new Event(g.slot, g.cost, g.settings.windows()))
                        .toList(),
                arrivals.stream()
                        .map(a -> new Event(
                                a.at(),
                                a.cost(),
                                given.get((int) a.permit()).settings.windows()))
                        .toList());
    }

    void check() {
        Stream.concat(slots.stream(), calls.stream())
                .flatMap(e -> e.windows().stream())
                .map(QuotaWindow::per)
                .distinct()
                .forEach(per -> {
                    check("slots", slots, per, Comparator.comparingLong(QuotaWindow::budget));
                    check("calls", calls, per, Comparator.comparingLong(QuotaWindow::limit));
                });
    }

    private static void check(String what, List<Event> events, Duration per, Comparator<QuotaWindow> by) {
        Event[] sorted = events.toArray(Event[]::new);
        Arrays.sort(sorted, Comparator.comparingLong(Event::at));
        for (int from = 0; from < sorted.length; from++) {
            long inside = 0;
            QuotaWindow highest = null;
            boolean always = true;
            int to = from;
            for (; to < sorted.length && sorted[to].at() < sorted[from].at() + per.toNanos(); to++) {
                inside += sorted[to].cost();
                QuotaWindow inForce = sorted[to].windows().stream()
                        .filter(w -> w.per().equals(per))
                        .findAny()
                        .orElse(null);
                always &= inForce != null;
                if (inForce != null && (highest == null || by.compare(inForce, highest) > 0)) {
                    highest = inForce;
                }
            }
            long most = highest == null ? 0 : what.equals("slots") ? highest.budget() : highest.limit();
            if (always && inside > most) {
                throw new AssertionError(inside + " " + what + " within " + per + " from " + sorted[from].at()
                        + " on, at most " + most + " are allowed");
            }
        }
    }
}
