package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.Slot;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The throttle of one upstream: takes jobs into lanes and gives permits as the quota allows. Every change goes to the
 * {@link Journal}; nothing here knows where that leads. Times are epoch nanoseconds of one clock, which may stand still but
 * is never taken to go back. Not thread-safe.
 */
public final class Throttle {
    /** A permit's slot lies at least so far ahead, so that its dispatcher has it by then. */
    public static final Duration LEAD = Duration.ofMillis(400);
    /** Slots up to here are given at a tick: the upstream sees an even stream although commits come in bunches. */
    public static final Duration AHEAD = Duration.ofMillis(900);
    /** How far clocks and the network may be apart before a call's arrival is misjudged. */
    public static final Duration ARRIVAL_ALLOWANCE = Duration.ofSeconds(2);
    /** How long after the last moment of a call its outcome may be on its way. */
    public static final Duration DOUBT_MARGIN = Duration.ofSeconds(10);
    /** After a start or a stall, outcomes that wait in the topic are read first, before a call is in doubt. */
    public static final Duration GRACE = Duration.ofSeconds(10);
    /** A gap between two ticks that counts as a stall. */
    public static final Duration STALL = Duration.ofSeconds(2);

    /** Permits that one tick forgets at most. */
    private static final int FORGET_PER_TICK = 2000;

    private static final Logger LOG = LoggerFactory.getLogger(Throttle.class);

    private final Journal journal;
    private final Lanes lanes;
    private final Jobs jobs;
    private final Outcomes outcomes;
    private final PermitLog log;
    private final CircuitBreaker breaker;
    private final Hold hold;
    private final Silence silence;
    private final Forecaster forecaster;
    private Settings settings;
    private Control control;

    private long reading;
    private long lastTick;
    private long graceUntil;
    private @Nullable String heldBy;
    private boolean changed;

    private enum Turn {
        GIVEN,
        /** No permit was given, but the next turn may. */
        AGAIN,
        OVER
    }

    /**
     * @param settings in force: those of {@code state} when there is one
     * @param state of an earlier run, or null for an upstream that was never seen; permits and lanes are put back into
     *     {@code log} and {@code lanes} before the first use
     */
    public Throttle(Settings settings, @Nullable UpstreamState state, PermitLog log, Lanes lanes, Journal journal) {
        this.settings = settings;
        this.control = state == null ? Control.SEEDED : state.control();
        this.journal = journal;
        this.lanes = lanes;
        this.log = log;
        this.breaker = new CircuitBreaker(
                settings.circuitBreaker(), state == null ? CircuitBreaker.State.CLOSED : state.circuit());
        this.hold = new Hold(state == null ? Hold.State.NONE : state.hold());
        this.silence = new Silence(state == null ? Silence.State.NONE : state.silence());
        this.forecaster = new Forecaster(settings);
        this.jobs = new Jobs(journal, lanes, state);
        this.outcomes = new Outcomes(settings, journal, jobs, log, breaker, hold, silence, forecaster);
        if (state != null) {
            log.restore(state.log());
            lanes.restore(state.virtualTime());
            reading = state.reading();
        }
        // Lanes are found again by the upstream's own state: it is written with the first of them.
        changed = state == null;
    }

    public Settings settings() {
        return settings;
    }

    public Control control() {
        return control;
    }

    /**
     * Takes new settings into force. Permits that are out stand: after a limit is lowered none is given while the trailing
     * window is at or above the new budget.
     *
     * @param assumeUnused nothing was called before what the log knows, so that a window longer than any kept so far does not
     *     count its unknown past as full
     */
    public void configure(Settings newSettings, Control newControl, boolean assumeUnused, long now) {
        read(now);
        settings = newSettings;
        control = newControl;
        log.configure(newSettings.windows(), newSettings.burst());
        if (assumeUnused) {
            log.assumeUnused();
        }
        lanes.configure(newSettings.weights());
        breaker.configure(newSettings.circuitBreaker());
        outcomes.configure(newSettings);
        forecaster.configure(newSettings);
        changed = true;
    }

    /** The upstream is configured no more: its jobs are kept, and nothing is released until it comes back. */
    public void remove() {
        control = new Control(Control.Mode.REMOVED, control.revision());
        changed = true;
    }

    /** Takes a job. One that is known already is passed over: the first in Kafka wins. */
    public void submit(Submission submission, long now) {
        long at = read(now);
        Job.Spec spec = submission.spec();
        Job known = journal.known(spec.id());
        if (known != null) {
            if (!known.spec().bodyHash().equals(spec.bodyHash())) {
                LOG.warn(
                        "job {} came again with another body; the first one stands, the other is not called",
                        spec.id());
            }
            return;
        }
        Job job = Job.of(spec);
        Instant notBefore = submission.notBefore();
        if (spec.cost() > log.smallestBudget()) {
            jobs.kill(job, submission.request(), tooCostly(job), null, at);
        } else if (Jobs.overdue(job, at)) {
            jobs.finish(job, JobStatus.EXPIRED, "its deadline had passed when it came", false, at);
        } else {
            jobs.keep(submission);
            if (notBefore != null && EpochNanos.of(notBefore) > at) {
                jobs.schedule(job, notBefore, at);
                changed = true;
            } else {
                // Its lane keeps what changes by that: nothing of the upstream itself does.
                jobs.append(job, at);
            }
        }
    }

    /** Takes a waiting job out, wherever it waits; for one whose call is under way or that has ended it is too late. */
    public void cancel(CancelRequest request, long now) {
        long at = read(now);
        Job job = journal.job(request.jobId());
        if (job == null
                || !job.spec().tenant().equals(request.tenant())
                || job.status().finished()) {
            return;
        }
        if (job.status() == JobStatus.DISPATCHED) {
            jobs.refuseCancel(job, request.id(), at);
        } else {
            jobs.leave(job);
            jobs.finish(job.decided(request.id()), JobStatus.CANCELLED, null, false, at);
        }
        changed = true;
    }

    /** Takes what a dispatcher says of a permit. */
    public void outcome(Outcome outcome, long now) {
        outcomes.take(outcome, read(now));
        changed = true;
    }

    /** Before anything is judged at a tick: after a start or a stall, what waits in the topics is read first. */
    public void awake(long now) {
        long at = read(now);
        if (lastTick == 0 || at - lastTick > STALL.toNanos()) {
            graceUntil = at + GRACE.toNanos();
        }
        lastTick = at;
    }

    /** A timer's time has come. */
    public void timer(Timer timer, long now) {
        long at = read(now);
        Job job = journal.job(timer.jobId());
        if (job == null) {
            return;
        }
        boolean mine = timer.due().equals(job.dueAt());
        switch (timer.kind()) {
            case JOIN -> {
                if (mine && (job.status() == JobStatus.SCHEDULED || job.status() == JobStatus.RETRYING)) {
                    jobs.leave(job);
                    jobs.append(job, at);
                }
            }
            case DOUBT -> {
                if (mine && job.status() == JobStatus.DISPATCHED) {
                    if (at < graceUntil) {
                        jobs.doubtLater(job, EpochNanos.toInstant(graceUntil));
                    } else {
                        outcomes.doubt(job, at);
                    }
                }
            }
            case DEADLINE -> {
                if (!job.status().finished() && job.status() != JobStatus.DISPATCHED) {
                    jobs.expire(job, at);
                }
            }
            case FORGET -> {
                if (mine && job.status().finished()) {
                    journal.deleteJob(job.id());
                }
            }
        }
        changed = true;
    }

    /**
     * Gives the permits that are due by now, in at most so many turns.
     *
     * @return whether more may be due now
     */
    public boolean tick(long now, int mostTurns) {
        long at = read(now);
        Turn last = Turn.AGAIN;
        for (int turns = 0; turns < mostTurns && last != Turn.OVER; turns++) {
            last = releaseNext(at);
        }
        long first = log.head().first();
        long kept = log.forget(at, FORGET_PER_TICK);
        for (long n = first; n < kept; n++) {
            journal.deletePermit(settings.upstream(), n);
        }
        changed |= kept > first;
        return last != Turn.OVER;
    }

    /** Writes what has changed of the upstream itself and of its lanes: before each commit. */
    public void save() {
        lanes.save();
        if (changed) {
            journal.putState(new UpstreamState(
                    UpstreamState.VERSION,
                    settings,
                    control,
                    log.head(),
                    lanes.virtualTime(),
                    reading,
                    jobs.inFlight(),
                    jobs.scheduled(),
                    jobs.retrying(),
                    breaker.state(),
                    hold.state(),
                    silence.state()));
            changed = false;
        }
    }

    /** What anyone needs to answer "when". */
    public Forecast forecast(long now) {
        long at = read(now);
        return forecaster.forecast(
                new Forecaster.View(
                        log,
                        lanes,
                        control,
                        state(at),
                        heldBy(at),
                        breaker.phase().text(),
                        jobs.scheduled(),
                        jobs.retrying(),
                        jobs.inFlight()),
                at,
                notBefore(at));
    }

    /** Jobs that stand in lanes. */
    public long waiting() {
        return lanes.waiting();
    }

    public long inFlight() {
        return jobs.inFlight();
    }

    public long scheduled() {
        return jobs.scheduled();
    }

    public long retrying() {
        return jobs.retrying();
    }

    public CircuitBreaker.Phase circuit() {
        return breaker.phase();
    }

    public PermitLog log() {
        return log;
    }

    private Turn releaseNext(long now) {
        Lanes.Turn turn = lanes.next();
        if (turn == null) {
            heldBy = null;
            return lanes.waiting() > 0 ? Turn.AGAIN : Turn.OVER;
        }
        heldBy = hold(now);
        if (heldBy != null) {
            return Turn.OVER;
        }
        LaneEntry entry = turn.entry();
        Slot slot = log.earliest(now + LEAD.toNanos(), (int) Math.min(entry.cost(), log.smallestBudget()));
        if (slot.at() > now + AHEAD.toNanos()) {
            heldBy = slot.heldBy();
            return Turn.OVER;
        }
        Job job = entry.first() ? journal.submitted(entry.jobId()) : journal.job(entry.jobId());
        if (job == null || job.status() != JobStatus.QUEUED) {
            throw new IllegalStateException("lane " + turn.lane() + " holds job " + entry.jobId() + ", which is "
                    + (job == null ? "unknown" : job.status()));
        }
        Instant slotAt = EpochNanos.toInstant(slot.at());
        Instant deadline = job.deadline();
        if (deadline != null && !slotAt.isBefore(deadline)) {
            jobs.expire(job, now);
            return Turn.AGAIN;
        }
        if (job.cost() > log.smallestBudget()) {
            jobs.leave(job);
            jobs.kill(job, journal.request(job.id()), tooCostly(job), null, now);
            return Turn.AGAIN;
        }
        lanes.take(turn);
        release(job, slot.at(), slotAt, now);
        return Turn.GIVEN;
    }

    private void release(Job job, long slot, Instant slotAt, long now) {
        long arrival = slot + settings.permitTtl().toNanos() + ARRIVAL_ALLOWANCE.toNanos();
        long number = log.take(slot, job.cost(), arrival);
        journal.addPermit(settings.upstream(), number, slot, arrival, job.cost());
        breaker.released(number);
        if (silence.nobodyDispatches()) {
            silence.probed(now, settings.circuitBreaker().open());
        }
        Instant expiresAt = slotAt.plus(settings.permitTtl());
        Instant doubtAt = expiresAt.plus(settings.timeout()).plus(DOUBT_MARGIN);
        Job dispatched = jobs.dispatch(job, number, slotAt, doubtAt, now);
        journal.send(new Grant(dispatched, number, slotAt, expiresAt, settings.timeout()));
        changed = true;
    }

    /** What holds every permit back now, before the quota is asked. */
    private @Nullable String hold(long now) {
        if (control.mode() != Control.Mode.RUNNING) {
            return Forecast.PAUSED;
        }
        if (hold.holds(now)) {
            return "retry-after";
        }
        if (!breaker.admits(now)) {
            return "circuit";
        }
        if (silence.nobodyDispatches() && !silence.probeIsDue(now)) {
            return "no-dispatcher";
        }
        if (out() >= settings.maxInFlight() && !silence.probeIsDue(now)) {
            return "in-flight";
        }
        return null;
    }

    /**
     * Permits that nothing came back from. Those that fell silent count until any outcome comes, so that none goes out in their
     * place while it is not known whether anybody dispatches; but not when nothing else is out to tell.
     */
    private long out() {
        long inFlight = jobs.inFlight();
        return inFlight == 0 ? 0 : inFlight + silence.inARow();
    }

    private String tooCostly(Job job) {
        return "its cost of " + job.cost() + " is more than the smallest budget, " + log.smallestBudget();
    }

    private String state(long now) {
        if (control.mode() != Control.Mode.RUNNING) {
            return Forecast.PAUSED;
        }
        if (hold.holds(now)) {
            return "throttled";
        }
        return breaker.phase() == CircuitBreaker.Phase.CLOSED ? "running" : "circuit-open";
    }

    private @Nullable String heldBy(long now) {
        if (lanes.waiting() == 0) {
            return null;
        }
        String held = hold(now);
        return held != null ? held : heldBy == null ? Slot.PACE : heldBy;
    }

    /** No permit goes before this, as far as can be told now. */
    private long notBefore(long now) {
        long from = now + LEAD.toNanos();
        from = Math.max(from, hold.until());
        if (breaker.phase() == CircuitBreaker.Phase.OPEN) {
            from = Math.max(from, breaker.openUntil());
        }
        if (silence.nobodyDispatches()) {
            from = Math.max(from, silence.nextProbe());
        }
        return from;
    }

    private long read(long now) {
        reading = Math.max(reading, now);
        return reading;
    }
}
