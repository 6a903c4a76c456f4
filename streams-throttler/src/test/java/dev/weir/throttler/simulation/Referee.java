package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Throttle;
import dev.weir.throttler.upstream.Timer;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Follows each committed step on the naive references and says at the first one that the design does not allow. It never
 * asks the throttle anything.
 */
final class Referee {
    private final ReferenceJobs jobs;
    private final ReferenceQuota quota;
    private final ReferenceHolds holds;
    private long now = Long.MIN_VALUE;
    private ReferenceJobs.@Nullable Known doubtful;
    private ReferenceJobs.@Nullable Known dispatched;
    private @Nullable String buried;
    private int checkedRests;

    Referee(Settings settings) {
        jobs = new ReferenceJobs(settings);
        quota = new ReferenceQuota(settings);
        holds = new ReferenceHolds(settings);
    }

    ReferenceJobs jobs() {
        return jobs;
    }

    ReferenceQuota quota() {
        return quota;
    }

    /** How often it was found that nothing more could be given although jobs waited. */
    int checkedRests() {
        return checkedRests;
    }

    void committed(List<Step> steps) {
        for (Step step : steps) {
            step.tell(this);
        }
        jobs.end();
        if (dispatched != null) {
            throw new AssertionError("job " + dispatched.request.id() + " is dispatched without a permit");
        }
    }

    /**
     * When something could be given, by the throttle's clock: a tick before that has nothing to do.
     *
     * @param at the earliest answer; {@link Long#MAX_VALUE} when something must happen first
     */
    long nextChance(long at) {
        List<Integer> costs = jobs.headCosts();
        if (costs.isEmpty()) {
            return Long.MAX_VALUE;
        }
        if (holds.why(at, jobs.inFlight()) != null) {
            return holds.until(at);
        }
        long next = Long.MAX_VALUE;
        for (int cost : costs) {
            long chance = quota.earliest(cost) - Throttle.AHEAD.toNanos();
            if (chance > at) {
                next = Math.min(next, chance);
            }
        }
        return Math.min(next, holds.until(at));
    }

    void submitted(JobRequest request, long at) {
        doubtful = null;
        if (jobs.submitted(request, Math.max(now, at))) {
            read(at);
        }
    }

    void cancelled(CancelRequest request, long at) {
        doubtful = null;
        if (jobs.cancelled(request, Math.max(now, at))) {
            read(at);
        }
    }

    void configured(Settings settings, Control.Mode mode, long at) {
        doubtful = null;
        jobs.configure(settings, read(at));
        quota.configure(settings);
        holds.configure(settings, mode);
    }

    void heard(Outcome outcome, long at) {
        doubtful = null;
        long reading = read(at);
        holds.somebodySpoke(reading);
        quota.heard(outcome);
        ReferenceVerdict verdict = ReferenceVerdict.of(outcome, reading);
        ReferenceJobs.Known before = jobs.find(outcome.jobId());
        long newerPermit = before == null ? -1 : before.permit;
        ReferenceJobs.Known job = jobs.heard(outcome, verdict, reading);
        if (job == null) {
            holds.saidNothing(outcome.permit());
            return;
        }
        switch (verdict.kind()) {
            case SUCCESS -> {
                holds.answered(outcome.permit());
                if (newerPermit >= 0 && newerPermit != outcome.permit()) {
                    holds.saidNothing(newerPermit);
                }
            }
            case REJECTED -> holds.answered(outcome.permit());
            case PUSHBACK -> {
                holds.saidNothing(outcome.permit());
                holds.pushedBack(reading, verdict.retryAfter());
            }
            case FAILURE -> holds.failed(outcome.permit(), reading);
            case RETURNED, REFUSED -> holds.saidNothing(outcome.permit());
        }
    }

    void fired(Timer timer, long at) {
        long reading = read(at);
        ReferenceJobs.Known job = jobs.find(timer.jobId());
        doubtful = jobs.fired(timer, job != null && holds.spokeSince(job.slot), reading);
    }

    void ticking(long at) {
        jobs.ticking(read(at));
        doubtful = null;
    }

    void rested(long at) {
        jobs.end();
        long reading = read(at);
        if (holds.why(reading, jobs.inFlight()) != null) {
            return;
        }
        int highest = jobs.headCosts().stream().mapToInt(c -> c).max().orElse(0);
        if (highest == 0) {
            return;
        }
        checkedRests++;
        long earliest = Math.max(reading + Throttle.LEAD.toNanos(), quota.earliest(highest));
        if (earliest <= reading + Throttle.AHEAD.toNanos()) {
            throw new AssertionError("jobs wait, nothing holds, and a permit of cost " + highest
                    + " could have a slot in " + Duration.ofNanos(earliest - reading) + ", but none was given");
        }
    }

    void changed(JobEvent event) {
        ReferenceJobs.Known before = jobs.find(event.id());
        long permit = before == null ? -1 : before.permit;
        ReferenceJobs.Known job = jobs.changed(event);
        if (job == doubtful) {
            if (holds.spokeSince(job.slot)) {
                job.doubts++;
            }
            holds.inDoubt(permit, now);
            doubtful = null;
        }
        if (dispatched != null) {
            throw new AssertionError("job " + dispatched.request.id() + " is dispatched without a permit");
        }
        dispatched = job.status == JobStatus.DISPATCHED && job.permit < 0 ? job : null;
        if (job.status == JobStatus.DEAD && !job.request.id().equals(buried)) {
            throw new AssertionError("job " + job.request.id() + " is dead, and not in the dead letters");
        }
        buried = null;
    }

    void buried(DeadLetter letter) {
        buried = letter.jobId();
    }

    void gave(Permit permit) {
        ReferenceJobs.Known job = dispatched;
        if (job == null || !job.request.id().equals(permit.jobId()) || job.attempts != permit.attempt()) {
            throw new AssertionError("no dispatched job has this permit: " + permit);
        }
        dispatched = null;
        String why = holds.why(now, jobs.inFlight() - 1);
        if (why != null) {
            throw new AssertionError("permit " + permit.permit() + " was given, but " + why);
        }
        quota.gave(permit, job.request.cost(), now);
        holds.gave(permit.permit(), now);
        jobs.gave(job, permit.permit(), EpochNanos.of(permit.slot()));
    }

    void forgot(long permit) {
        quota.forgot(permit, now);
    }

    /** The highest reading so far, as far as it is kept: what changes nothing of the upstream itself leaves no trace. */
    private long read(long at) {
        now = Math.max(now, at);
        return now;
    }
}
