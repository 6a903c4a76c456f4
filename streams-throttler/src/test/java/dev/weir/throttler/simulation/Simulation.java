package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One upstream in virtual time: the throttle's decisions on a journal that crashes, dispatchers that lose permits and
 * outcomes, an upstream that fails and pushes back. One seed is one run. After every permit and every call the windows are
 * checked against plain lists of timestamps.
 */
final class Simulation {
    static final long START = 1_800_000_000L * 1_000_000_000L;
    static final long MS = 1_000_000L;

    /** Chances, each for one event in so many; 0 is never. */
    record Faults(int crash, int stall, int losePermit, int loseOutcome, int failure, int pushback, long latencyMs) {
        static final Faults NONE = new Faults(0, 0, 0, 0, 0, 0, 20);
        static final Faults MANY = new Faults(2000, 3000, 200, 200, 30, 100, 900);
    }

    private record Event(long at, long order, Runnable what) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
        }
    }

    private final Settings settings;
    private final Faults faults;
    private final SplittableRandom random;
    private final MemoryJournal journal = new MemoryJournal();
    private Throttle throttle;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final PriorityQueue<Outcome> unread =
            new PriorityQueue<>((a, b) -> a.endedAt().compareTo(b.endedAt()));
    private long now = START;
    private long order;
    private int submitted;

    final List<long[]> slots = new ArrayList<>();
    private final Map<Long, Integer> slotOf = new HashMap<>();
    final List<Long> arrivals = new ArrayList<>();
    final Map<String, Integer> calls = new HashMap<>();
    final Map<String, JobStatus> ends = new HashMap<>();
    private final Map<String, Long> revisions = new HashMap<>();
    private final Set<Long> usedPermits = new HashSet<>();

    Simulation(Settings settings, Faults faults, long seed) {
        this.settings = settings;
        this.faults = faults;
        this.random = new SplittableRandom(seed);
        this.throttle = journal.restart(settings);
    }

    void submit(int jobs) {
        for (int i = 0; i < jobs; i++) {
            JobRequest request = new JobRequest(
                    1,
                    "job-" + submitted++,
                    "tenant-" + random.nextInt(3),
                    settings.upstream(),
                    new Call("POST", "/", Map.of(), null, null),
                    Priority.values()[random.nextInt(3)],
                    null,
                    null,
                    1,
                    EpochNanos.toInstant(now),
                    "hash",
                    null);
            throttle.submit(request, now);
        }
        throttle.save();
        commit();
    }

    int submitted() {
        return submitted;
    }

    /** Runs for so long; ticks are 50 ms apart unless a stall comes. */
    void run(Duration time) {
        long end = now + time.toNanos();
        schedule(now, this::tick);
        while (!events.isEmpty() && events.peek().at() <= end) {
            Event event = events.poll();
            now = Math.max(now, event.at());
            event.what().run();
        }
        events.removeIf(e -> true);
        now = end;
    }

    private void tick() {
        if (chance(faults.crash())) {
            // The transaction is gone; the next owner starts from the last commit, a little later.
            throttle = journal.restart(settings);
            schedule(now + random.nextLong(20_000) * MS, this::tick);
            return;
        }
        throttle.awake(now);
        while (!unread.isEmpty() && EpochNanos.of(unread.peek().endedAt()) <= now) {
            throttle.outcome(unread.poll(), now);
        }
        journal.takeDue(EpochNanos.toInstant(now)).forEach(timer -> throttle.timer(timer, now));
        throttle.tick(now, 1000);
        throttle.save();
        commit();
        long pause = chance(faults.stall()) ? random.nextLong(60_000) * MS : 50 * MS;
        schedule(now + pause, this::tick);
    }

    private void commit() {
        MemoryJournal.Committed committed = journal.commit();
        committed.permits().forEach(this::dispatch);
        for (JobEvent event : committed.events()) {
            Long before = revisions.put(event.id(), event.revision());
            if (before != null && event.revision() <= before) {
                throw new AssertionError(event.id() + " went from revision " + before + " to " + event.revision());
            }
            if (ends.containsKey(event.id())) {
                throw new AssertionError(event.id() + " had ended, and now: " + event);
            }
            if (event.status().finished()) {
                ends.put(event.id(), event.status());
            }
        }
    }

    private void dispatch(Permit permit) {
        long slot = EpochNanos.of(permit.slot());
        if (!usedPermits.add(permit.permit())) {
            throw new AssertionError("permit " + permit.permit() + " was given twice");
        }
        slots.add(new long[] {slot, 1});
        slotOf.put(permit.permit(), slots.size() - 1);
        for (QuotaWindow window : settings.windows()) {
            long inside = countAfter(slot - window.per().toNanos());
            if (inside > window.budget()) {
                throw new AssertionError(
                        inside + " slots within " + window.per() + ", the budget is " + window.budget());
            }
        }
        if (chance(faults.losePermit())) {
            return;
        }
        long seenAt = now + 30 * MS + (chance(faults.losePermit()) ? random.nextLong(6000) * MS : 0);
        schedule(Math.max(slot, seenAt), () -> call(permit));
    }

    private long countAfter(long from) {
        long count = 0;
        for (int i = slots.size() - 1; i >= 0 && slots.get(i)[0] > from; i--) {
            count += slots.get(i)[1];
        }
        return count;
    }

    private void call(Permit permit) {
        Instant at = EpochNanos.toInstant(now);
        if (!at.isBefore(permit.expiresAt())) {
            slots.get(slotOf.get(permit.permit()))[1] = 0;
            report(permit, Outcome.Kind.RETURNED, null, at, null);
            return;
        }
        arrivals.add(now);
        calls.merge(permit.jobId(), 1, Integer::sum);
        for (QuotaWindow window : settings.windows()) {
            long from = now - window.per().toNanos();
            long inside = 0;
            for (int i = arrivals.size() - 1; i >= 0 && arrivals.get(i) > from; i--) {
                inside++;
            }
            if (inside > window.limit()) {
                throw new AssertionError(inside + " calls within " + window.per() + ", the limit is " + window.limit());
            }
        }
        if (chance(faults.loseOutcome())) {
            return;
        }
        Instant ended = at.plusNanos(MS + random.nextLong(faults.latencyMs() * MS));
        if (chance(faults.pushback())) {
            report(permit, Outcome.Kind.ANSWERED, at, ended, new Answer(429, Map.of(), null, null, false));
        } else if (chance(faults.failure())) {
            report(permit, Outcome.Kind.FAILED, at, ended, null);
        } else {
            report(permit, Outcome.Kind.ANSWERED, at, ended, new Answer(200, Map.of(), null, null, false));
        }
    }

    private void report(
            Permit permit, Outcome.Kind kind, @Nullable Instant started, Instant ended, @Nullable Answer answer) {
        unread.add(new Outcome(
                1,
                permit.jobId(),
                permit.tenant(),
                permit.upstream(),
                permit.permit(),
                permit.attempt(),
                kind,
                permit.slot(),
                started,
                ended,
                answer,
                answer == null ? "no answer" : null));
    }

    private void schedule(long at, Runnable what) {
        events.add(new Event(at, order++, what));
    }

    private boolean chance(int oneIn) {
        return oneIn > 0 && random.nextInt(oneIn) == 0;
    }

    /** The most slots in any window of this length. */
    long mostSlotsWithin(Duration per) {
        List<Long> sorted = new ArrayList<>();
        slots.forEach(s -> {
            if (s[1] == 1) {
                sorted.add(s[0]);
            }
        });
        Collections.sort(sorted);
        int tail = 0;
        int most = 0;
        for (int head = 0; head < sorted.size(); head++) {
            while (sorted.get(head) - sorted.get(tail) >= per.toNanos()) {
                tail++;
            }
            most = Math.max(most, head - tail + 1);
        }
        return most;
    }
}
