package dev.weir.throttler.quota;

import java.util.Comparator;
import java.util.List;

/**
 * The permits of one upstream, numbered densely, and the arithmetic that says when the next one may go. Three rules hold at
 * once, each for every window:
 *
 * <ol>
 *   <li>by slots: the cost in every half-open rolling window stays within the budget;
 *   <li>by arrivals: the cost that the upstream may count in its own window stays within the limit. A permit's arrival is
 *       taken as the latest moment possible until its outcome says better;
 *   <li>pace: the shortest window's rate (GCRA, ITU-T I.371, with an exact rational step), with {@code burst} permits of
 *       tolerance; what is made up comes no closer together than that window's limit allows.
 * </ol>
 *
 * Each window keeps two tails (by slots and by arrivals) that only move forward, so a permit costs amortised O(windows). The
 * arrivals' tail stops at the first permit that may still count, which can only err towards fewer calls.
 *
 * <p>All times are epoch nanoseconds. Permits are kept for the longest window; 20 bytes each. Not thread-safe.
 */
public final class PermitLog {
    private static final int FIRST_CAPACITY = 1024;

    private Tails[] windows = new Tails[0];
    private int burst;
    private long paceNs;
    private long paceLimit;
    private long paceBudget;
    private long stepNs;
    private long stepRest;
    private long toleranceNs;
    private long smallestBudget;

    private long[] slots = new long[FIRST_CAPACITY];
    private long[] arrivals = new long[FIRST_CAPACITY];
    private int[] costs = new int[FIRST_CAPACITY];
    private int mask = FIRST_CAPACITY - 1;
    private long first;
    private long next;
    private long lastSlot = Long.MIN_VALUE;
    private int lastCost;
    /** Theoretical arrival time: whole nanoseconds, and the rest as a numerator over the pace's budget. */
    private long tatNs = Long.MIN_VALUE;

    private long tatRest;
    private long completeSince = Long.MIN_VALUE;

    /** A window with its two tails: the first permit still inside, and the cost from there on. */
    private static final class Tails {
        final QuotaWindow window;
        final long perNs;
        final String name;
        long tail;
        long used;
        long arrivalTail;
        long arrived;

        Tails(QuotaWindow window) {
            this.window = window;
            this.perNs = window.per().toNanos();
            this.name = window.per().toString();
        }
    }

    /**
     * What must be kept, beside the permits themselves, for the log to go on after a restart.
     *
     * @param completeSince from here on the log knows every permit; a window that reaches further back counts as full
     */
    public record Head(
            long first, long next, long lastSlot, int lastCost, long tatNs, long tatRest, long completeSince) {
        /** Of an upstream that was never called. */
        public static final Head EMPTY = new Head(0, 0, Long.MIN_VALUE, 0, Long.MIN_VALUE, 0, Long.MIN_VALUE);
    }

    public PermitLog(List<QuotaWindow> windows, int burst) {
        configure(windows, burst);
    }

    /** Changes the windows; permits already given stand. */
    public void configure(List<QuotaWindow> newWindows, int newBurst) {
        if (newWindows.isEmpty()) {
            throw new IllegalArgumentException("a quota has at least one window");
        }
        windows = newWindows.stream()
                .sorted(Comparator.comparing(QuotaWindow::per))
                .map(Tails::new)
                .toArray(Tails[]::new);
        QuotaWindow pace = windows[0].window;
        burst = newBurst;
        paceNs = pace.per().toNanos();
        paceLimit = pace.limit();
        if (paceBudget != pace.budget()) {
            tatRest = 0;
        }
        paceBudget = pace.budget();
        stepNs = paceNs / paceBudget;
        stepRest = paceNs % paceBudget;
        toleranceNs = share(Math.min(burst, paceBudget));
        capTat();
        smallestBudget = paceBudget;
        for (Tails w : windows) {
            smallestBudget = Math.min(smallestBudget, w.window.budget());
            w.tail = first;
            w.arrivalTail = first;
            for (long n = first; n < next; n++) {
                w.used += costs[at(n)];
            }
            w.arrived = w.used;
        }
    }

    /** Puts back a permit of an earlier run; in order, from the head's first to its next. */
    public void restore(long number, long slot, long arrival, int cost) {
        if (next == first && first == 0) {
            first = number;
            next = number;
            for (Tails w : windows) {
                w.tail = number;
                w.arrivalTail = number;
            }
        }
        if (number != next) {
            throw new IllegalStateException("permit " + number + " follows " + (next - 1) + ": the log has a hole");
        }
        append(slot, arrival, cost);
    }

    /** Puts back the rest, after the permits. */
    public void restore(Head head) {
        if (next == first) {
            next = head.next();
            first = next;
            for (Tails w : windows) {
                w.tail = next;
                w.arrivalTail = next;
            }
        } else if (next != head.next()) {
            throw new IllegalStateException("the log ends at permit " + next + ", its head says " + head.next());
        }
        lastSlot = head.lastSlot();
        lastCost = head.lastCost();
        tatNs = head.tatNs();
        tatRest = head.tatRest() < paceBudget ? head.tatRest() : 0;
        completeSince = head.completeSince();
        if (first == next && head.first() < head.next()) {
            // Permits that should be here are not: what they spent is unknown, so it counts as everything.
            completeSince = Math.max(completeSince, lastSlot);
        }
        capTat();
    }

    public Head head() {
        return new Head(first, next, lastSlot, lastCost, tatNs, tatRest, completeSince);
    }

    /** What is not known counts as nothing, from someone who knows better. */
    public void assumeUnused() {
        completeSince = Long.MIN_VALUE;
    }

    /** The number that the next permit gets. */
    public long next() {
        return next;
    }

    /** The slot of the newest permit; {@link Long#MIN_VALUE} when there is none. */
    public long lastSlot() {
        return lastSlot;
    }

    /** No permit can cost more. */
    public long smallestBudget() {
        return smallestBudget;
    }

    public List<QuotaWindow> windows() {
        return java.util.Arrays.stream(windows).map(w -> w.window).toList();
    }

    /**
     * The earliest slot for a permit of this cost. Gives nothing away; {@link #take} does.
     *
     * @param notBefore no slot before this; later calls never ask for less
     * @param cost from 1 to {@link #smallestBudget}
     */
    public Slot earliest(long notBefore, int cost) {
        long base = Math.max(notBefore, lastSlot);
        long at = base;
        String heldBy = Slot.NOTHING;
        if (tatNs != Long.MIN_VALUE) {
            long pace = Math.max(tatNs - toleranceNs, lastSlot + gapAfter(lastCost));
            if (pace > at) {
                at = pace;
                heldBy = Slot.PACE;
            }
        }
        for (Tails w : windows) {
            advance(w, base);
            long free = Math.max(freeBySlots(w, cost), freeByArrivals(w, cost));
            if (completeSince != Long.MIN_VALUE) {
                free = Math.max(free, completeSince + w.perNs);
            }
            if (free > at) {
                at = free;
                heldBy = w.name;
            }
        }
        return new Slot(at, heldBy);
    }

    /**
     * Gives a permit.
     *
     * @param slot from {@link #earliest} for this cost
     * @param arrival the latest moment at which its call could reach the upstream
     * @return its number
     */
    public long take(long slot, int cost, long arrival) {
        long number = next;
        append(slot, arrival, cost);
        lastSlot = slot;
        lastCost = cost;
        if (tatNs < slot) {
            tatNs = slot;
            tatRest = 0;
        }
        long rest = tatRest + stepRest * cost;
        tatNs += stepNs * cost + rest / paceBudget;
        tatRest = rest % paceBudget;
        return number;
    }

    /** Its outcome is known: the call reached the upstream no later than this. */
    public void arrived(long number, long arrival) {
        if (number >= first && number < next) {
            int i = at(number);
            arrivals[i] = Math.max(slots[i], Math.min(arrivals[i], arrival));
        }
    }

    /** It was handed back unused: its cost leaves every window. Twice is the same as once. */
    public void giveBack(long number) {
        if (number < first || number >= next) {
            return;
        }
        int cost = costs[at(number)];
        for (Tails w : windows) {
            if (number >= w.tail) {
                w.used -= cost;
            }
            if (number >= w.arrivalTail) {
                w.arrived -= cost;
            }
        }
        costs[at(number)] = 0;
        // What never reaches the upstream holds nobody back there.
        arrivals[at(number)] = slots[at(number)];
    }

    /** Whether a permit of this number is kept; only then do the getters below know it. */
    public boolean knows(long number) {
        return number >= first && number < next;
    }

    public long slot(long number) {
        return slots[at(number)];
    }

    public long arrival(long number) {
        return arrivals[at(number)];
    }

    public int cost(long number) {
        return costs[at(number)];
    }

    /**
     * Forgets the permits that no window can see any more.
     *
     * @param most so many at a time
     * @return the first number that is kept; those before it, from the previous answer on, are gone
     */
    public long forget(long now, int most) {
        Tails longest = windows[windows.length - 1];
        long end = Math.min(next, first + most);
        while (first < end && slots[at(first)] + longest.perNs <= now && arrivals[at(first)] + longest.perNs <= now) {
            completeSince = Math.max(completeSince, slots[at(first)]);
            for (Tails w : windows) {
                if (w.tail == first) {
                    w.used -= costs[at(first)];
                    w.tail++;
                }
                if (w.arrivalTail == first) {
                    w.arrived -= costs[at(first)];
                    w.arrivalTail++;
                }
            }
            first++;
        }
        return first;
    }

    /** The cost in the window with this index (shortest first) that ends at {@code now}, permits given ahead included. */
    public long used(int window, long now) {
        Tails w = windows[window];
        long used = w.used;
        for (long n = w.tail; n < next && slots[at(n)] + w.perNs <= now; n++) {
            used -= costs[at(n)];
        }
        return used;
    }

    /** When the first permit leaves the window with this index, so that it has room again. */
    public long roomAt(int window) {
        return freeBySlots(windows[window], 1);
    }

    /** Makes this log the same as another one: for running it forward without side effects. */
    public void copyFrom(PermitLog other) {
        first = other.first;
        next = other.next;
        lastSlot = other.lastSlot;
        lastCost = other.lastCost;
        tatNs = other.tatNs;
        tatRest = other.tatRest;
        completeSince = other.completeSince;
        burst = other.burst;
        paceNs = other.paceNs;
        paceLimit = other.paceLimit;
        paceBudget = other.paceBudget;
        stepNs = other.stepNs;
        stepRest = other.stepRest;
        toleranceNs = other.toleranceNs;
        smallestBudget = other.smallestBudget;
        if (slots.length < other.slots.length) {
            slots = new long[other.slots.length];
            arrivals = new long[other.slots.length];
            costs = new int[other.slots.length];
            mask = other.mask;
        }
        for (long n = first; n < next; n++) {
            slots[at(n)] = other.slots[other.at(n)];
            arrivals[at(n)] = other.arrivals[other.at(n)];
            costs[at(n)] = other.costs[other.at(n)];
        }
        windows = new Tails[other.windows.length];
        for (int i = 0; i < windows.length; i++) {
            Tails theirs = other.windows[i];
            Tails mine = new Tails(theirs.window);
            mine.tail = theirs.tail;
            mine.used = theirs.used;
            mine.arrivalTail = theirs.arrivalTail;
            mine.arrived = theirs.arrived;
            windows[i] = mine;
        }
    }

    private void advance(Tails w, long base) {
        while (w.tail < next && slots[at(w.tail)] + w.perNs <= base) {
            w.used -= costs[at(w.tail)];
            w.tail++;
        }
        while (w.arrivalTail < next && arrivals[at(w.arrivalTail)] + w.perNs <= base) {
            w.arrived -= costs[at(w.arrivalTail)];
            w.arrivalTail++;
        }
    }

    private long freeBySlots(Tails w, int cost) {
        long used = w.used;
        long free = Long.MIN_VALUE;
        for (long n = w.tail; used + cost > w.window.budget() && n < next; n++) {
            int i = at(n);
            used -= costs[i];
            free = slots[i] + w.perNs;
        }
        return free;
    }

    private long freeByArrivals(Tails w, int cost) {
        long arrived = w.arrived;
        long free = Long.MIN_VALUE;
        for (long n = w.arrivalTail; arrived + cost > w.window.limit() && n < next; n++) {
            int i = at(n);
            arrived -= costs[i];
            free = Math.max(free, arrivals[i] + w.perNs);
        }
        return free;
    }

    private void append(long slot, long arrival, int cost) {
        if (next - first == slots.length) {
            grow();
        }
        int i = at(next);
        slots[i] = slot;
        arrivals[i] = arrival;
        costs[i] = cost;
        next++;
        for (Tails w : windows) {
            w.used += cost;
            w.arrived += cost;
        }
    }

    private void grow() {
        int capacity = Math.multiplyExact(slots.length, 2);
        long[] newSlots = new long[capacity];
        long[] newArrivals = new long[capacity];
        int[] newCosts = new int[capacity];
        for (long n = first; n < next; n++) {
            int to = (int) (n & (capacity - 1));
            newSlots[to] = slots[at(n)];
            newArrivals[to] = arrivals[at(n)];
            newCosts[to] = costs[at(n)];
        }
        slots = newSlots;
        arrivals = newArrivals;
        costs = newCosts;
        mask = capacity - 1;
    }

    /** At another pace than the one it was reached under, the pace's clock must not lie further ahead than one permit can put it. */
    private void capTat() {
        if (lastSlot != Long.MIN_VALUE && tatNs - lastSlot > toleranceNs + share(lastCost)) {
            tatNs = lastSlot + toleranceNs + share(lastCost);
            tatRest = 0;
        }
    }

    /** What is made up comes no closer together than this. */
    private long gapAfter(int cost) {
        return paceNs / paceLimit * cost + paceNs % paceLimit * cost / paceLimit;
    }

    /** So many permits' share of the pace's window, in nanoseconds. */
    private long share(long permits) {
        return stepNs * permits + (stepRest * permits + paceBudget - 1) / paceBudget;
    }

    private int at(long number) {
        return (int) (number & mask);
    }
}
