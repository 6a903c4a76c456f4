package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.throttler.quota.PermitLog;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What follows from an outcome, or from none: for the permit log, for the upstream as a whole and for the job. Times are
 * epoch nanoseconds. Not thread-safe.
 */
final class Outcomes {
    static final int MAX_DOUBTS = 5;
    static final int MAX_FREE_PUSHBACKS = 20;

    private static final Logger LOG = LoggerFactory.getLogger(Outcomes.class);

    private final Journal journal;
    private final Jobs jobs;
    private final PermitLog log;
    private final CircuitBreaker breaker;
    private final Hold hold;
    private final Silence silence;
    private final Forecaster forecaster;
    private Settings settings;

    Outcomes(
            Settings settings,
            Journal journal,
            Jobs jobs,
            PermitLog log,
            CircuitBreaker breaker,
            Hold hold,
            Silence silence,
            Forecaster forecaster) {
        this.settings = settings;
        this.journal = journal;
        this.jobs = jobs;
        this.log = log;
        this.breaker = breaker;
        this.hold = hold;
        this.silence = silence;
        this.forecaster = forecaster;
    }

    void configure(Settings newSettings) {
        settings = newSettings;
    }

    /** Takes what a dispatcher says of a permit. */
    void take(Outcome outcome, long now) {
        silence.outcome(now);
        settle(outcome, now);
        Verdict verdict = Verdict.of(outcome, EpochNanos.toInstant(now));
        Job job = journal.job(outcome.jobId());
        if (job == null || job.status().finished()) {
            breaker.saidNothing(outcome.permit());
            return;
        }
        Long permit = job.place().permit();
        boolean current = job.status() == JobStatus.DISPATCHED && permit != null && permit == outcome.permit();
        judge(outcome, verdict, now);
        if (!current && permit != null && verdict.kind() == Verdict.Kind.SUCCESS) {
            // The call under its newer permit changes nothing any more.
            breaker.saidNothing(permit);
        }
        if (!current && verdict.kind() != Verdict.Kind.SUCCESS) {
            // The job went on without this permit, which was in doubt: what became of it changes nothing any more.
            return;
        }
        jobs.leave(job);
        switch (verdict.kind()) {
            case SUCCESS -> jobs.finish(job, JobStatus.SUCCEEDED, null, true, now);
            case RETURNED -> jobs.prepend(job.counting(job.tally().notCalled()), null, now);
            case PUSHBACK -> pushBack(job, verdict, outcome, now);
            case FAILURE -> fail(job, verdict, outcome, now);
            case REJECTED ->
                jobs.kill(job, journal.request(job.id()), String.valueOf(verdict.reason()), outcome.answer(), now);
        }
    }

    /** No outcome came, and nobody can say whether the call was made: the job goes first again; its permit stays spent. */
    void doubt(Job job, long now) {
        Long permit = job.place().permit();
        Instant slot = job.place().slot();
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
        jobs.leave(job);
        Job counted = lostAlone ? job.counting(job.tally().doubted()) : job;
        int doubts = counted.tally().doubts();
        if (doubts > MAX_DOUBTS) {
            jobs.kill(
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
            jobs.prepend(counted, "no outcome came for its last call", now);
        }
    }

    /** The permit's arrival, or its cost, is known now. */
    private void settle(Outcome outcome, long now) {
        long n = outcome.permit();
        if (!log.knows(n)) {
            return;
        }
        switch (outcome.kind()) {
            case RETURNED, REFUSED -> {
                // As it was released it stands with the latest arrival that it allows; a call's outcome says a nearer
                // one.
                long latest = log.slot(n) + settings.permitTtl().toNanos() + Throttle.ARRIVAL_ALLOWANCE.toNanos();
                if (log.cost(n) > 0 && log.arrival(n) < latest) {
                    LOG.warn(
                            "permit {} of {} (job {}) is handed back, but a call under it was reported before; it stays"
                                    + " spent. Were the offsets of the dispatchers' group set back?",
                            n,
                            settings.upstream(),
                            outcome.jobId());
                    return;
                }
                log.giveBack(n);
            }
            case ANSWERED, FAILED -> {
                long allowance = Throttle.ARRIVAL_ALLOWANCE.toNanos();
                long ended = Math.max(EpochNanos.of(outcome.endedAt()), log.slot(n));
                Instant started = outcome.startedAt();
                // A call that was started has arrived soon after, however long its answer takes.
                long arrived =
                        started == null ? ended : Math.min(EpochNanos.of(started), ended - allowance) + allowance;
                log.arrived(n, arrived);
                // A dispatcher's clock may be a little ahead of this one, never much.
                long told = Math.min(ended, now + allowance);
                forecaster.called(log.arrival(n) - log.slot(n), told - log.slot(n));
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
        if (job.tally().pushbacks() >= MAX_FREE_PUSHBACKS) {
            fail(job, verdict, outcome, now);
        } else {
            jobs.prepend(job.counting(job.tally().pushedBack()), verdict.reason(), now);
        }
    }

    private void fail(Job job, Verdict verdict, Outcome outcome, long now) {
        String reason = String.valueOf(verdict.reason());
        int failures = job.tally().failures();
        if (failures >= settings.retryDelays().size()) {
            jobs.kill(job, journal.request(job.id()), reason + ", at the last of its attempts", outcome.answer(), now);
        } else if (Jobs.overdue(job, now)) {
            jobs.finish(job, JobStatus.EXPIRED, "its deadline passed; its last call: " + reason, false, now);
        } else {
            Duration delay = settings.retryDelays().get(failures);
            jobs.retry(
                    job.counting(job.tally().failed()),
                    EpochNanos.toInstant(now).plus(delay),
                    reason,
                    now);
        }
    }
}
