package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Submission;
import dev.weir.throttler.upstream.Throttle;
import dev.weir.throttler.upstream.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * The process around the throttle: reads the topics, ticks, commits; dies, stands still, is fenced, and starts again with
 * another clock, from the last commit and the offsets that belong to it. While nothing can happen it passes over the ticks.
 */
final class ThrottleHost {
    static final long TICK = 50 * Agenda.MS;
    /** Who was away for longer has lost the transaction to somebody else. */
    private static final long FENCED_AFTER = Duration.ofSeconds(10).toNanos();

    private static final Duration LEAST_TIME_FOR_A_CALL = Duration.ofMillis(500);
    private static final long BAD_CLOCK = Duration.ofMinutes(1).toNanos();
    private static final long IDLE_TICK = Duration.ofSeconds(1).toNanos();
    private static final int TIMERS_PER_TICK = 500;
    private static final int TURNS_PER_STEP = 64;
    private static final int STEPS_PER_TICK = 20;
    private static final int MOST_RECORDS = 200;
    /** A transaction spans so many ticks on average. */
    private static final int COMMIT_EVERY = 2;

    private static final long NO_WAKE = Long.MAX_VALUE;

    private final Agenda agenda;
    private final Faults faults;
    private final SplittableRandom random;
    private final Referee referee;
    private final Consumer<Permit> dispatch;
    private final MemoryJournal journal = new MemoryJournal();
    private final Settings seed;
    private Throttle throttle;

    private final Topic<Outcome> outcomes = new Topic<>();
    private final Topic<Scenario.Change> changes = new Topic<>();
    /** Submissions and cancellations, each behind what it belongs to. */
    private final Topic<Object> requests = new Topic<>();

    private final List<Topic<?>> topics = List.of(outcomes, changes, requests);

    private boolean up = true;
    private boolean calm;
    private long clockOff;
    private long wakeAt = NO_WAKE;
    private long awakeSince;
    private long nextTick;
    /** Steps until the process dies; negative when it lives on. */
    private long dieIn = -1;

    private long downFor;
    private boolean moreToGive;
    private int restarts;

    /** What is read of a topic, and what of that is committed. */
    private static final class Topic<T> {
        final List<T> records = new ArrayList<>();
        int read;
        int committed;

        boolean hasMore() {
            return read < records.size();
        }

        T next() {
            return records.get(read++);
        }
    }

    /** The process died in the middle of what it did. */
    private static final class Died extends RuntimeException {
        Died() {
            super("died", null, false, false);
        }
    }

    ThrottleHost(
            Agenda agenda,
            Settings seed,
            Faults faults,
            SplittableRandom random,
            Referee referee,
            Consumer<Permit> dispatch) {
        this.agenda = agenda;
        this.seed = seed;
        this.faults = faults;
        this.random = random;
        this.referee = referee;
        this.dispatch = dispatch;
        throttle = journal.open(seed);
        clockOff = anyClock();
        checkClock();
        awakeSince = agenda.now();
        wake(agenda.now());
    }

    int restarts() {
        return restarts;
    }

    boolean hasReadAll() {
        return topics.stream().allMatch(t -> t.committed == t.records.size());
    }

    void append(JobRequest request) {
        requests.records.add(request);
        wakeSoon();
    }

    void append(CancelRequest request) {
        requests.records.add(request);
        wakeSoon();
    }

    void append(Outcome outcome) {
        outcomes.records.add(outcome);
        wakeSoon();
    }

    void append(Scenario.Change change) {
        changes.records.add(change);
        wakeSoon();
    }

    /** Dies at one of the next steps, and is gone for so long. */
    void crash(long down) {
        if (!up) {
            return;
        }
        dieIn = random.nextInt(random.nextBoolean() ? 4 : 40);
        downFor = down;
        wakeSoon();
    }

    /** Stands still for so long, with whatever is not committed. */
    void stall(long nanos) {
        if (!up) {
            return;
        }
        wakeAt = NO_WAKE;
        if (nanos > FENCED_AFTER) {
            die(nanos, clockOff);
        } else {
            awakeSince = agenda.now() + nanos;
            wake(awakeSince);
        }
    }

    /** From now on nothing fails any more. */
    void calmDown() {
        calm = true;
        if (up) {
            die(0, 0);
        }
    }

    private long anyClock() {
        return calm ? 0 : Chance.off(random, faults.throttleClock());
    }

    /** One that is so far behind that every permit comes too late is found out before long. */
    private void checkClock() {
        Duration spent = faults.dispatcherClock().plus(LEAST_TIME_FOR_A_CALL);
        if (clockOff < spent.minus(throttle.settings().permitTtl()).toNanos()) {
            agenda.in(BAD_CLOCK, () -> crash(0));
        }
    }

    private void die(long down, long newClockOff) {
        journal.abort();
        up = false;
        wakeAt = NO_WAKE;
        agenda.in(down, () -> start(calm ? 0 : newClockOff));
    }

    private void start(long newClockOff) {
        restarts++;
        up = true;
        clockOff = newClockOff;
        topics.forEach(t -> t.read = t.committed);
        throttle = journal.open(seed);
        moreToGive = false;
        checkClock();
        awakeSince = agenda.now();
        wake(agenda.now());
    }

    private void wakeSoon() {
        if (up && agenda.now() >= awakeSince) {
            wake(agenda.now() + random.nextLong(TICK));
        }
    }

    private void wake(long at) {
        if (at < wakeAt) {
            wakeAt = at;
            agenda.at(at, () -> {
                if (up && wakeAt == at) {
                    wakeAt = NO_WAKE;
                    work();
                }
            });
        }
    }

    private void work() {
        boolean ticked;
        try {
            passOverIdleTicks();
            poll();
            ticked = agenda.now() >= nextTick;
            if (ticked) {
                nextTick = agenda.now() + TICK;
                tick();
            }
        } catch (Died e) {
            dieIn = -1;
            die(downFor, anyClock());
            return;
        }
        if (dieIn >= 0 || random.nextInt(COMMIT_EVERY) > 0) {
            wake(agenda.now() + TICK);
            return;
        }
        commit();
        // Without a tick nothing is known of what could be given.
        long next = ticked ? nextWork() : nextTick;
        if (next != NO_WAKE) {
            wake(next);
        }
    }

    private void poll() {
        int most = random.nextInt(1, MOST_RECORDS);
        for (; outcomes.hasMore() && most > 0; most--) {
            Outcome outcome = outcomes.next();
            journal.note(new Step.Heard(outcome, clock()));
            throttle.outcome(outcome, clock());
            step();
        }
        for (; changes.hasMore() && most > 0; most--) {
            configure(changes.next());
            step();
        }
        for (; requests.hasMore() && most > 0; most--) {
            Object record = requests.next();
            if (record instanceof CancelRequest cancel) {
                journal.note(new Step.Cancelled(cancel, clock()));
                throttle.cancel(cancel, clock());
            } else {
                JobRequest request = (JobRequest) record;
                journal.note(new Step.Submitted(request, clock()));
                throttle.submit(Submission.of(request), clock());
            }
            step();
        }
    }

    private void configure(Scenario.Change change) {
        boolean removed = change.mode() == Control.Mode.REMOVED;
        journal.note(new Step.Configured(removed ? throttle.settings() : change.settings(), change.mode(), clock()));
        if (removed) {
            throttle.remove();
        } else {
            Control control = new Control(change.mode(), throttle.control().revision() + 1);
            throttle.configure(change.settings(), control, false, clock());
            checkClock();
        }
    }

    private void tick() {
        long now = clock();
        throttle.awake(now);
        List<Timer> due = new ArrayList<>();
        for (Timer timer = journal.takeDue(now); timer != null; timer = journal.takeDue(now)) {
            due.add(timer);
            if (due.size() == TIMERS_PER_TICK) {
                break;
            }
        }
        for (Timer timer : due) {
            journal.note(new Step.Fired(timer, now));
            throttle.timer(timer, now);
            step();
        }
        journal.note(new Step.Ticking(now));
        moreToGive = true;
        for (int steps = 0; moreToGive && steps < STEPS_PER_TICK; steps++) {
            moreToGive = throttle.tick(now, TURNS_PER_STEP);
        }
        if (!moreToGive) {
            journal.note(new Step.Rested(now));
        }
        moreToGive |= due.size() == TIMERS_PER_TICK;
        step();
    }

    private void step() {
        if (dieIn >= 0 && dieIn-- == 0) {
            throw new Died();
        }
    }

    private void commit() {
        throttle.save();
        topics.forEach(t -> t.committed = t.read);
        List<Step> steps = journal.commit();
        referee.committed(steps);
        for (Step step : steps) {
            if (step instanceof Step.Gave gave) {
                dispatch.accept(gave.permit());
            }
        }
    }

    /** When there may be something to do, true time; all is committed, for the referee knows of nothing else. */
    private long nextWork() {
        long soon = agenda.now() + TICK;
        if (moreToGive || topics.stream().anyMatch(Topic::hasMore)) {
            return soon;
        }
        Instant timer = journal.nextTimer();
        long due = Math.min(timer == null ? NO_WAKE : EpochNanos.of(timer), referee.nextChance(clock()));
        if (due == NO_WAKE) {
            return NO_WAKE;
        }
        long next = Math.max(soon, due - clockOff);
        if (next <= soon + 2 * TICK) {
            return soon;
        }
        // Not the first tick that could do something: one that must find nothing yet, or any in between.
        return random.nextInt(4) == 0 ? random.nextLong(soon, next) : next - random.nextLong(TICK);
    }

    private void passOverIdleTicks() {
        for (long at = awakeSince + IDLE_TICK; at < agenda.now(); at += IDLE_TICK) {
            throttle.awake(clock(at));
        }
        awakeSince = agenda.now();
    }

    private long clock() {
        return clock(agenda.now());
    }

    /** The wall clock at the start and the time since, and never below what was reached before. */
    private long clock(long trueTime) {
        return Math.max(trueTime + clockOff, journal.lowWater());
    }
}
