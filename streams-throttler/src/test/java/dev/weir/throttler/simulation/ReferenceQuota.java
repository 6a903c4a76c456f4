package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The quota as a plain list of all permits ever given, from the newest back to the oldest at each question. It says when the
 * next permit may go by the three rules of the design, so a permit before that is one too early, and one after it one too
 * late.
 */
final class ReferenceQuota {
    /** The log counts its pace in whole nanoseconds and a rest. */
    private static final long ROUNDING_NS = 1000;

    private static final long NETWORK_AND_CLOCKS = Duration.ofSeconds(2).toNanos();

    /** A permit: its cost is zero once it was handed back, its arrival the latest possible until its outcome is known. */
    static final class Given {
        final long number;
        final long slot;
        final Settings settings;
        long arrival;
        int cost;

        Given(long number, long slot, long arrival, int cost, Settings settings) {
            this.number = number;
            this.slot = slot;
            this.arrival = arrival;
            this.cost = cost;
            this.settings = settings;
        }
    }

    private final List<Given> given = new ArrayList<>();
    /** Without those that were handed back. */
    private final List<Given> spent = new ArrayList<>();

    private long spentCost;
    private Settings settings;
    private QuotaWindow pace;
    private long longestArrival;
    private int forgotten;
    /** When the next permit would go if all had gone at the pace, since the start of the run. */
    private double dueAtPace = Double.NEGATIVE_INFINITY;

    private int lastCost;
    /** What was counted since the last change. */
    private final Map<Integer, Long> earliest = new HashMap<>();

    ReferenceQuota(Settings settings) {
        this.settings = settings;
        this.pace = Quotas.shortest(settings.windows());
    }

    List<Given> given() {
        return given;
    }

    List<QuotaWindow> windowsOf(long permit) {
        return given.get((int) permit).settings.windows();
    }

    /** From another pace's time no more stays than one permit can put there. */
    void configure(Settings newSettings) {
        earliest.clear();
        settings = newSettings;
        pace = Quotas.shortest(newSettings.windows());
        if (!given.isEmpty()) {
            dueAtPace = Math.min(dueAtPace, since(lastSlot()) + tolerance() + step() * lastCost);
        }
    }

    /** The earliest slot for a permit of this cost by the three rules. */
    long earliest(int cost) {
        return earliest.computeIfAbsent(cost, this::countEarliest);
    }

    private long countEarliest(int cost) {
        if (given.isEmpty()) {
            return Long.MIN_VALUE;
        }
        long at = lastSlot();
        at = Math.max(at, Agenda.START + (long) Math.ceil(dueAtPace - tolerance()));
        at = Math.max(at, lastSlot() + (long) (pace.per().toNanos() / (double) pace.limit() * lastCost));
        for (QuotaWindow window : settings.windows()) {
            long per = window.per().toNanos();
            at = Math.max(at, leftBySlot(window.budget() - cost) + per);
            at = Math.max(at, leftByArrival(window.limit() - cost, at - per) + per);
            if (forgotten > 0) {
                // What was forgotten may have filled it.
                at = Math.max(at, given.get(forgotten - 1).slot + per);
            }
        }
        return at;
    }

    /** The slot of the newest permit that must have left a window before what is left in it costs no more than this. */
    private long leftBySlot(long room) {
        if (spentCost <= room) {
            return Long.MIN_VALUE / 2;
        }
        long cost = 0;
        for (int i = spent.size() - 1; i >= 0; i--) {
            cost += spent.get(i).cost;
            if (cost > room) {
                return spent.get(i).slot;
            }
        }
        return Long.MIN_VALUE / 2;
    }

    /** The same by arrivals: the latest of all those that must have left. Nothing matters that arrived before this. */
    private long leftByArrival(long room, long atLeast) {
        if (spentCost <= room) {
            return atLeast;
        }
        long cost = 0;
        long latest = atLeast;
        for (int i = spent.size() - 1; i >= 0 && spent.get(i).slot + longestArrival > latest; i--) {
            Given permit = spent.get(i);
            cost += permit.cost;
            if (cost > room) {
                latest = Math.max(latest, permit.arrival);
            }
        }
        return latest;
    }

    void gave(Permit permit, int cost, long now) {
        long slot = EpochNanos.of(permit.slot());
        if (permit.permit() != given.size()) {
            throw new AssertionError("permit " + permit.permit() + " follows " + (given.size() - 1));
        }
        if (!permit.expiresAt().equals(permit.slot().plus(settings.permitTtl()))) {
            throw new AssertionError("permit " + permit.permit() + " of " + permit.slot() + " is good until "
                    + permit.expiresAt() + ", not for " + settings.permitTtl());
        }
        long expected = Math.max(now + Throttle.LEAD.toNanos(), earliest(cost));
        if (Math.abs(slot - expected) > ROUNDING_NS) {
            throw new AssertionError("permit " + permit.permit() + " of cost " + cost + " got a slot "
                    + Duration.ofNanos(Math.abs(slot - expected)) + " too " + (slot < expected ? "early" : "late"));
        }
        if (slot > now + Throttle.AHEAD.toNanos()) {
            throw new AssertionError(
                    "permit " + permit.permit() + " was given " + Duration.ofNanos(slot - now) + " ahead");
        }
        long arrival = slot + settings.permitTtl().toNanos() + NETWORK_AND_CLOCKS;
        earliest.clear();
        Given newest = new Given(permit.permit(), slot, arrival, cost, settings);
        given.add(newest);
        spent.add(newest);
        spentCost += cost;
        longestArrival = Math.max(longestArrival, arrival - slot);
        for (QuotaWindow window : settings.windows()) {
            long inside = spentCost <= window.budget() ? spentCost : inside(slot, window.per());
            if (inside > window.budget()) {
                throw new AssertionError("permit " + permit.permit() + " makes " + inside + " slots within "
                        + window.per() + ", the budget is " + window.budget());
            }
        }
        dueAtPace = Math.max(dueAtPace, since(slot)) + step() * cost;
        lastCost = cost;
    }

    private long inside(long end, Duration per) {
        long cost = 0;
        for (int i = spent.size() - 1; i >= 0 && spent.get(i).slot > end - per.toNanos(); i--) {
            cost += spent.get(i).cost;
        }
        return cost;
    }

    void heard(Outcome outcome) {
        int n = (int) outcome.permit();
        if (n < forgotten) {
            return;
        }
        earliest.clear();
        Given permit = given.get(n);
        if (outcome.kind() == Outcome.Kind.RETURNED || outcome.kind() == Outcome.Kind.REFUSED) {
            spentCost -= permit.cost;
            permit.cost = 0;
            spent.remove(permit);
            return;
        }
        Instant started = outcome.startedAt();
        long arrived = EpochNanos.of(outcome.endedAt());
        if (started != null) {
            arrived = Math.min(arrived, EpochNanos.of(started) + NETWORK_AND_CLOCKS);
        }
        permit.arrival = Math.max(permit.slot, Math.min(permit.arrival, arrived));
    }

    /** A permit is forgotten once no window can see it. */
    void forgot(long number, long now) {
        Given permit = given.get(forgotten);
        long longest = settings.windows().stream()
                .mapToLong(w -> w.per().toNanos())
                .max()
                .orElseThrow();
        if (permit.number != number
                || permit.slot + longest > now
                || (permit.cost > 0 && permit.arrival + longest > now)) {
            throw new AssertionError("permit " + number + " was forgotten too early");
        }
        earliest.clear();
        forgotten++;
    }

    private long lastSlot() {
        return given.get(given.size() - 1).slot;
    }

    private double step() {
        return pace.per().toNanos() / (double) pace.budget();
    }

    private double tolerance() {
        return step() * Math.min(settings.burst(), pace.budget());
    }

    private static double since(long at) {
        return at - Agenda.START;
    }
}
