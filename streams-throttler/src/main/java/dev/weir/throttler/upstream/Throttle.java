package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
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
 * The throttle of one upstream: takes jobs into lanes, gives permits as the quota allows, and decides what an outcome means.
 * Every change goes to the {@link Journal}; nothing here knows where that leads. Times are epoch nanoseconds of one clock,
 * which may stand still but is never taken to go back. Not thread-safe.
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

    public static final int MAX_DOUBTS = 5;
    public static final int MAX_FREE_PUSHBACKS = 20;
    /** A finished job's id is known for so long: the same submission again is the same job. */
    public static final Duration REMEMBER_FINISHED = Duration.ofDays(7);
    /** Permits that one tick forgets at most. */
    private static final int FORGET_PER_TICK = 2000;

    private static final Logger LOG = LoggerFactory.getLogger(Throttle.class);

    private final Journal journal;
    private final Lanes lanes;
    private final PermitLog log;
    private final CircuitBreaker breaker;
    private final Hold hold;
    private final Silence silence;
    private final Forecaster forecaster;
    private final Settings settings;
    /** Whether the upstream is still configured; if not, its jobs wait and nothing is released. */
    private final boolean configured;

    private long reading;
    private long inFlight;
    private long scheduled;
    private long retrying;
    private long lastTick;
    private long graceUntil;
    private @Nullable String heldBy;
    private boolean changed;

    /**
     * @param state of an earlier run, or null for an upstream that was never seen; permits and lanes are put back into
     *     {@code log} and {@code lanes} before the first use
     * @param configured whether the upstream is in the configuration now
     */
    public Throttle(
            Settings settings,
            boolean configured,
            @Nullable UpstreamState state,
            PermitLog log,
            Lanes lanes,
            Journal journal) {
        this.settings = settings;
        this.configured = configured;
        this.journal = journal;
        this.lanes = lanes;
        this.log = log;
        this.breaker = new CircuitBreaker(
                settings.circuitBreaker(), state == null ? CircuitBreaker.State.CLOSED : state.circuit());
        this.hold = new Hold(state == null ? Hold.State.NONE : state.hold());
        this.silence = new Silence(state == null ? Silence.State.NONE : state.silence());
        this.forecaster = new Forecaster(settings);
        if (state != null) {
            log.restore(state.log());
            lanes.restore(state.virtualTime());
            reading = state.reading();
            inFlight = state.inFlight();
            scheduled = state.scheduled();
            retrying = state.retrying();
        }
    }

    public Settings settings() {
        return settings;
    }

    /** Takes a job. One that is known already is passed over: the first in Kafka wins. */
    public void submit(JobRequest request, long now) {
        long at = read(now);
        Job known = journal.job(request.id());
        if (known != null) {
            if (!known.bodyHash().equals(request.bodyHash())) {
                LOG.warn(
                        "job {} came again with another body; the first one stands, the other is not called",
                        request.id());
            }
            return;
        }
        Job job = Job.of(request);
        Instant deadline = request.deadline();
        Instant notBefore = request.notBefore();
        if (request.cost() > settings.smallestBudget()) {
            kill(job, request, tooCostly(job), null, at);
        } else if (deadline != null && EpochNanos.of(deadline) <= at) {
            finish(job, JobStatus.EXPIRED, "its deadline had passed when it came", false, at);
        } else {
            journal.putRequest(request);
            if (deadline != null) {
                journal.putTimer(new Timer(deadline, Timer.Kind.DEADLINE, job.upstream(), job.id()));
            }
            if (notBefore != null && EpochNanos.of(notBefore) > at) {
                scheduled++;
                await(job.waitingUntil(JobStatus.SCHEDULED, notBefore), null, at);
            } else {
                append(job, at);
            }
        }
        changed = true;
    }

    /** Takes what a dispatcher says of a permit. */
    public void outcome(Outcome outcome, long now) {
        long at = read(now);
        changed = true;
        silence.outcome(at);
        settle(outcome, at);
        Verdict verdict = Verdict.of(outcome, EpochNanos.toInstant(at));
        Job job = journal.job(outcome.jobId());
        if (job == null || job.status().finished()) {
            breaker.saidNothing(outcome.permit());
            return;
        }
        Long permit = job.permit();
        boolean current = job.status() == JobStatus.DISPATCHED && permit != null && permit == outcome.permit();
        judge(outcome, verdict, at);
        if (!current && permit != null && verdict.kind() == Verdict.Kind.SUCCESS) {
            // The call under its newer permit changes nothing any more.
            breaker.saidNothing(permit);
        }
        if (!current && verdict.kind() != Verdict.Kind.SUCCESS) {
            // The job went on without this permit, which was in doubt: what became of it changes nothing any more.
            return;
        }
        leave(job);
        switch (verdict.kind()) {
            case SUCCESS -> finish(job, JobStatus.SUCCEEDED, null, true, at);
            case RETURNED ->
                prepend(job.counting(job.attempts() - 1, job.failures(), job.pushbacks(), job.doubts()), null, at);
            case PUSHBACK -> pushBack(job, verdict, outcome, at);
            case FAILURE -> fail(job, verdict, outcome, at);
            case REJECTED ->
                kill(job, journal.request(job.id()), String.valueOf(verdict.reason()), outcome.answer(), at);
        }
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
                    leave(job);
                    append(job, at);
                }
            }
            case DOUBT -> {
                if (mine && job.status() == JobStatus.DISPATCHED) {
                    doubt(job, at);
                }
            }
            case DEADLINE -> {
                if (!job.status().finished() && job.status() != JobStatus.DISPATCHED) {
                    expire(job, at);
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
     * Gives every permit that is due by now, up to {@code most}.
     *
     * @return how many it gave
     */
    public int tick(long now, int most) {
        long at = read(now);
        int given = 0;
        for (int turns = 0; turns < most; turns++) {
            if (!releaseNext(at)) {
                break;
            }
            given++;
        }
        long first = log.head().first();
        long kept = log.forget(at, FORGET_PER_TICK);
        for (long n = first; n < kept; n++) {
            journal.deletePermit(settings.upstream(), n);
        }
        changed |= kept > first;
        return given;
    }

    /** Writes what is kept of the upstream itself, if anything changed. */
    public void save() {
        if (changed) {
            journal.putState(new UpstreamState(
                    UpstreamState.VERSION,
                    settings,
                    log.head(),
                    lanes.virtualTime(),
                    reading,
                    inFlight,
                    scheduled,
                    retrying,
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
                        log, lanes, state(at), heldBy(at), breaker.phase().text(), scheduled, retrying, inFlight),
                at,
                notBefore(at));
    }

    public long waiting() {
        return lanes.waiting();
    }

    public long inFlight() {
        return inFlight;
    }

    public long scheduled() {
        return scheduled;
    }

    public long retrying() {
        return retrying;
    }

    public CircuitBreaker.Phase circuit() {
        return breaker.phase();
    }

    public PermitLog log() {
        return log;
    }

    /** @return whether there is more to do now */
    private boolean releaseNext(long now) {
        Lanes.Turn turn = lanes.next();
        if (turn == null) {
            heldBy = null;
            return false;
        }
        heldBy = hold(now);
        if (heldBy != null) {
            return false;
        }
        LaneEntry entry = turn.entry();
        Slot slot = log.earliest(now + LEAD.toNanos(), (int) Math.min(entry.cost(), settings.smallestBudget()));
        if (slot.at() > now + AHEAD.toNanos()) {
            heldBy = slot.heldBy();
            return false;
        }
        Job job = journal.job(entry.jobId());
        if (job == null || job.status() != JobStatus.QUEUED) {
            throw new IllegalStateException("lane " + turn.lane() + " holds job " + entry.jobId() + ", which is "
                    + (job == null ? "unknown" : job.status()));
        }
        Instant slotAt = EpochNanos.toInstant(slot.at());
        Instant deadline = job.deadline();
        if (deadline != null && !slotAt.isBefore(deadline)) {
            expire(job, now);
            return true;
        }
        if (job.cost() > settings.smallestBudget()) {
            leave(job);
            kill(job, journal.request(job.id()), tooCostly(job), null, now);
            return true;
        }
        lanes.take(turn);
        release(job, slot.at(), slotAt, now);
        return true;
    }

    private void release(Job job, long slot, Instant slotAt, long now) {
        JobRequest request = journal.request(job.id());
        long arrival = slot + settings.permitTtl().toNanos() + ARRIVAL_ALLOWANCE.toNanos();
        long number = log.take(slot, job.cost(), arrival);
        journal.putPermit(settings.upstream(), number, slot, arrival, job.cost());
        breaker.released(number);
        if (silence.nobodyDispatches()) {
            silence.probed(now, settings.circuitBreaker().open());
        }
        inFlight++;
        Instant expiresAt = slotAt.plus(settings.permitTtl());
        Instant doubtAt = expiresAt.plus(settings.timeout()).plus(DOUBT_MARGIN);
        Job dispatched = job.dispatched(number, slotAt, doubtAt);
        journal.putTimer(new Timer(doubtAt, Timer.Kind.DOUBT, job.upstream(), job.id()));
        journal.putJob(dispatched);
        event(dispatched, slotAt, null, null, false, now);
        journal.send(new Permit(
                Permit.VERSION,
                job.id(),
                job.tenant(),
                job.upstream(),
                number,
                slotAt,
                expiresAt,
                dispatched.attempts(),
                settings.timeout().toMillis(),
                request.request(),
                request.traceparent()));
        changed = true;
    }

    /** What holds every permit back now, before the quota is asked. */
    private @Nullable String hold(long now) {
        if (!configured) {
            return "paused";
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
        if (inFlight >= settings.maxInFlight() && !silence.probeIsDue(now)) {
            return "in-flight";
        }
        return null;
    }

    /** The permit's arrival, or its cost, is known now. */
    private void settle(Outcome outcome, long now) {
        long n = outcome.permit();
        if (!log.knows(n)) {
            return;
        }
        switch (outcome.kind()) {
            case RETURNED, REFUSED -> log.giveBack(n);
            case ANSWERED, FAILED -> {
                // A dispatcher's clock may be a little ahead of this one, never much.
                long ended = Math.min(EpochNanos.of(outcome.endedAt()), now + ARRIVAL_ALLOWANCE.toNanos());
                Instant started = outcome.startedAt();
                log.arrived(
                        n,
                        started == null
                                ? ended
                                : Math.min(
                                        ended, Math.min(EpochNanos.of(started), ended) + ARRIVAL_ALLOWANCE.toNanos()));
                forecaster.called(log.arrival(n) - log.slot(n), ended - log.slot(n));
            }
        }
        journal.putPermit(settings.upstream(), n, log.slot(n), log.arrival(n), log.cost(n));
    }

    private void judge(Outcome outcome, Verdict verdict, long now) {
        switch (verdict.kind()) {
            case SUCCESS -> {
                breaker.succeeded(outcome.permit());
                hold.accepted();
            }
            case REJECTED -> {
                if (outcome.kind() == Outcome.Kind.ANSWERED) {
                    breaker.succeeded(outcome.permit());
                    hold.accepted();
                } else {
                    breaker.saidNothing(outcome.permit());
                }
            }
            case PUSHBACK -> {
                breaker.saidNothing(outcome.permit());
                hold.pushedBack(now, verdict.retryAfter());
            }
            case FAILURE -> {
                CircuitBreaker.Phase before = breaker.phase();
                breaker.failed(outcome.permit(), now);
                if (before != CircuitBreaker.Phase.OPEN && breaker.phase() == CircuitBreaker.Phase.OPEN) {
                    LOG.warn(
                            "the circuit of {} opened: {} (job {}); nothing is released for {}",
                            settings.upstream(),
                            verdict.reason(),
                            outcome.jobId(),
                            settings.circuitBreaker().open());
                }
            }
            case RETURNED -> breaker.saidNothing(outcome.permit());
        }
    }

    private void pushBack(Job job, Verdict verdict, Outcome outcome, long now) {
        if (job.pushbacks() >= MAX_FREE_PUSHBACKS) {
            fail(job, verdict, outcome, now);
        } else {
            // It costs the job no attempt: the next call has the same number.
            prepend(
                    job.counting(job.attempts() - 1, job.failures(), job.pushbacks() + 1, job.doubts()),
                    verdict.reason(),
                    now);
        }
    }

    private void fail(Job job, Verdict verdict, Outcome outcome, long now) {
        String reason = String.valueOf(verdict.reason());
        if (job.failures() >= settings.retryDelays().size()) {
            kill(job, journal.request(job.id()), reason + ", at the last of its attempts", outcome.answer(), now);
            return;
        }
        if (overdue(job, now)) {
            finish(job, JobStatus.EXPIRED, "its deadline passed; its last call: " + reason, false, now);
            return;
        }
        Duration delay = settings.retryDelays().get(job.failures());
        retrying++;
        Job waiting = job.counting(job.attempts(), job.failures() + 1, job.pushbacks(), job.doubts())
                .waitingUntil(JobStatus.RETRYING, EpochNanos.toInstant(now).plus(delay));
        await(waiting, reason, now);
    }

    /** Nobody can say whether the call was made: the job goes first again; its permit stays spent. */
    private void doubt(Job job, long now) {
        if (now < graceUntil) {
            Instant later = EpochNanos.toInstant(graceUntil);
            journal.putTimer(new Timer(later, Timer.Kind.DOUBT, job.upstream(), job.id()));
            journal.putJob(job.dueAgain(later));
            return;
        }
        Long permit = job.permit();
        Instant slot = job.slot();
        if (permit == null || slot == null) {
            throw new IllegalStateException("job " + job.id() + " is dispatched without a permit");
        }
        breaker.saidNothing(permit);
        // While nobody dispatches at all, the outage is nobody's fault: it kills no job.
        boolean lostAlone = silence.heardSince(EpochNanos.of(slot));
        silence.silent(
                now,
                settings.circuitBreaker().failures(),
                settings.circuitBreaker().open());
        leave(job);
        int doubts = job.doubts() + (lostAlone ? 1 : 0);
        Job counted = job.counting(job.attempts(), job.failures(), job.pushbacks(), doubts);
        if (doubts > MAX_DOUBTS) {
            kill(
                    counted,
                    journal.request(job.id()),
                    "no outcome came for its calls, " + doubts + " times; the upstream may have seen them",
                    null,
                    now);
        } else {
            LOG.warn(
                    "no outcome came for job {} (permit {} of {}): its call may have been made; it goes first again",
                    job.id(),
                    permit,
                    job.upstream());
            prepend(counted, "no outcome came for its last call", now);
        }
    }

    private String tooCostly(Job job) {
        return "its cost of " + job.cost() + " is more than the smallest budget, " + settings.smallestBudget();
    }

    private void expire(Job job, long now) {
        leave(job);
        finish(job, JobStatus.EXPIRED, "its deadline passed while it waited", false, now);
    }

    /** The job leaves where it waits or is counted. */
    private void leave(Job job) {
        switch (job.status()) {
            case QUEUED -> {
                Long number = job.number();
                if (number != null) {
                    lanes.remove(job.lane(), number, job.laneEntry());
                }
            }
            case SCHEDULED -> {
                scheduled--;
                deleteTimer(job, Timer.Kind.JOIN);
            }
            case RETRYING -> {
                retrying--;
                deleteTimer(job, Timer.Kind.JOIN);
            }
            case DISPATCHED -> {
                inFlight--;
                deleteTimer(job, Timer.Kind.DOUBT);
            }
            case ACCEPTED, SUCCEEDED, DEAD, CANCELLED, EXPIRED -> {
                // it stands nowhere
            }
        }
    }

    private void append(Job job, long now) {
        Job queued = job.queued(lanes.append(job.lane(), job.laneEntry()));
        journal.putJob(queued);
        event(queued, null, null, null, false, now);
    }

    private void prepend(Job job, @Nullable String reason, long now) {
        if (overdue(job, now)) {
            finish(job, JobStatus.EXPIRED, "its deadline passed before it could be called again", false, now);
            return;
        }
        Job queued = job.queued(lanes.prepend(job.lane(), job.laneEntry()));
        journal.putJob(queued);
        event(queued, null, null, reason, false, now);
    }

    /** Its timer may have found it dispatched, and is gone. */
    private static boolean overdue(Job job, long now) {
        Instant deadline = job.deadline();
        return deadline != null && EpochNanos.of(deadline) <= now;
    }

    private void await(Job waiting, @Nullable String reason, long now) {
        Instant due = waiting.dueAt();
        if (due == null) {
            throw new IllegalArgumentException("job " + waiting.id() + " waits for no time");
        }
        journal.putTimer(new Timer(due, Timer.Kind.JOIN, waiting.upstream(), waiting.id()));
        journal.putJob(waiting);
        event(waiting, due, null, reason, false, now);
    }

    private void kill(Job job, JobRequest request, String reason, @Nullable Answer answer, long now) {
        LOG.warn("job {} of {} is dead: {}; it is kept in the dead letters", job.id(), job.upstream(), reason);
        journal.send(new DeadLetter(
                DeadLetter.VERSION,
                job.id(),
                reason,
                job.attempts(),
                EpochNanos.toInstant(now),
                request,
                answer == null ? null : answer.status(),
                null,
                null,
                null,
                null));
        finish(job, JobStatus.DEAD, reason, answer != null, now);
    }

    private void finish(Job job, JobStatus end, @Nullable String reason, boolean answered, long now) {
        Instant at = EpochNanos.toInstant(now);
        Instant forgetAt = at.plus(REMEMBER_FINISHED);
        Job finished = job.finished(end, forgetAt);
        Instant deadline = job.deadline();
        if (deadline != null) {
            journal.deleteTimer(new Timer(deadline, Timer.Kind.DEADLINE, job.upstream(), job.id()));
        }
        journal.deleteRequest(job.id());
        journal.putTimer(new Timer(forgetAt, Timer.Kind.FORGET, job.upstream(), job.id()));
        journal.putJob(finished);
        event(finished, null, at, reason, answered, now);
    }

    private void deleteTimer(Job job, Timer.Kind kind) {
        Instant due = job.dueAt();
        if (due != null) {
            journal.deleteTimer(new Timer(due, kind, job.upstream(), job.id()));
        }
    }

    private void event(
            Job job,
            @Nullable Instant dueAt,
            @Nullable Instant finishedAt,
            @Nullable String error,
            boolean answered,
            long now) {
        journal.send(new JobEvent(
                JobEvent.VERSION,
                job.id(),
                job.tenant(),
                job.upstream(),
                job.status(),
                job.revision(),
                job.attempts(),
                job.priority(),
                job.number(),
                job.acceptedAt(),
                EpochNanos.toInstant(now),
                dueAt,
                finishedAt,
                error,
                answered,
                job.bodyHash()));
    }

    private String state(long now) {
        if (!configured) {
            return "paused";
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
