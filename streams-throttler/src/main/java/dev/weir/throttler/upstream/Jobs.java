package dev.weir.throttler.upstream;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.Lanes;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The jobs of one upstream: moves each from one state to the next, so that its record, its place, its timers, what is counted
 * and what is told of it change together. Times are epoch nanoseconds. Not thread-safe.
 */
final class Jobs {
    /** A finished job's id is known for so long: the same submission again is the same job. */
    static final Duration REMEMBER_FINISHED = Duration.ofDays(7);

    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);

    private final Journal journal;
    private final Lanes lanes;
    private long inFlight;
    private long scheduled;
    private long retrying;

    Jobs(Journal journal, Lanes lanes, @Nullable UpstreamState state) {
        this.journal = journal;
        this.lanes = lanes;
        if (state != null) {
            inFlight = state.inFlight();
            scheduled = state.scheduled();
            retrying = state.retrying();
        }
    }

    long inFlight() {
        return inFlight;
    }

    long scheduled() {
        return scheduled;
    }

    long retrying() {
        return retrying;
    }

    /** Keeps what is to be called, for as long as the job has not ended. */
    void keep(Submission submission) {
        journal.putRequest(submission);
        Job.Spec spec = submission.spec();
        Instant deadline = spec.deadline();
        if (deadline != null) {
            journal.putTimer(new Timer(deadline, Timer.Kind.DEADLINE, spec.upstream(), spec.id()));
        }
    }

    /** To the end of its lane. */
    void append(Job job, long now) {
        queued(job, lanes.append(job.ownLane(), job.laneEntry()), null, now);
    }

    /** To the front of its lane; a job whose deadline has passed meanwhile ends. */
    void prepend(Job job, @Nullable String reason, long now) {
        if (overdue(job, now)) {
            finish(job, JobStatus.EXPIRED, "its deadline passed before it could be called again", false, now);
        } else {
            queued(job, lanes.prepend(job.ownLane(), job.laneEntry()), reason, now);
        }
    }

    void schedule(Job job, Instant due, long now) {
        scheduled++;
        await(job.now(JobStatus.SCHEDULED, Job.Place.until(due)), due, null, now);
    }

    void retry(Job job, Instant due, String reason, long now) {
        retrying++;
        await(job.now(JobStatus.RETRYING, Job.Place.until(due)), due, reason, now);
    }

    /** It leaves its lane with a permit; answers it as it is then. */
    Job dispatch(Job job, long permit, Instant slot, Instant doubtAt, long now) {
        inFlight++;
        Job dispatched =
                job.counting(job.tally().called()).now(JobStatus.DISPATCHED, Job.Place.out(permit, slot, doubtAt));
        journal.putTimer(new Timer(doubtAt, Timer.Kind.DOUBT, job.upstream(), job.id()));
        journal.putJob(dispatched);
        tell(dispatched, slot, null, null, false, now);
        return dispatched;
    }

    /** Its call is looked at again later. */
    void doubtLater(Job job, Instant later) {
        journal.putTimer(new Timer(later, Timer.Kind.DOUBT, job.upstream(), job.id()));
        journal.putJob(job.dueAgain(later));
    }

    /** It leaves where it waits or is counted; what follows says where it is then. */
    void leave(Job job) {
        switch (job.status()) {
            case QUEUED -> {
                String lane = job.place().lane();
                Long number = job.place().number();
                if (lane != null && number != null) {
                    LaneKey key = new LaneKey(job.upstream(), lane, job.spec().priority());
                    lanes.remove(key, number, job.laneEntry());
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
            case DISPATCHED -> inFlight--;
            case ACCEPTED, SUCCEEDED, DEAD, CANCELLED, EXPIRED -> {
                // it stands nowhere
            }
        }
    }

    /** A cancellation came too late for a job whose call is under way: that is told, and nothing else changes. */
    void refuseCancel(Job dispatched, String cancellation, long now) {
        Job told = dispatched.decided(cancellation).now(dispatched.status(), dispatched.place());
        journal.putJob(told);
        tell(told, null, told.place().slot(), null, null, false, true, now);
    }

    void expire(Job job, long now) {
        leave(job);
        finish(job, JobStatus.EXPIRED, "its deadline passed while it waited", false, now);
    }

    /** To the dead letters. */
    void kill(Job job, JobRequest request, String reason, @Nullable Answer answer, long now) {
        LOG.warn("job {} of {} is dead: {}; it is kept in the dead letters", job.id(), job.upstream(), reason);
        journal.send(new DeadLetter(
                DeadLetter.VERSION,
                job.id(),
                reason,
                job.tally().attempts(),
                EpochNanos.toInstant(now),
                request,
                answer == null ? null : answer.status(),
                null,
                null,
                null,
                null));
        finish(job, JobStatus.DEAD, reason, answer != null, now);
    }

    void finish(Job job, JobStatus end, @Nullable String reason, boolean answered, long now) {
        Instant at = EpochNanos.toInstant(now);
        Instant forgetAt = at.plus(REMEMBER_FINISHED);
        Job finished = job.now(end, Job.Place.until(forgetAt));
        Instant deadline = job.deadline();
        if (deadline != null) {
            journal.deleteTimer(new Timer(deadline, Timer.Kind.DEADLINE, job.upstream(), job.id()));
        }
        journal.putTimer(new Timer(forgetAt, Timer.Kind.FORGET, job.upstream(), job.id()));
        journal.putJob(finished);
        tell(finished, null, at, reason, answered, now);
    }

    /** Its timer may have found it dispatched, and is gone. */
    static boolean overdue(Job job, long now) {
        Instant deadline = job.deadline();
        return deadline != null && EpochNanos.of(deadline) <= now;
    }

    private void queued(Job job, Lanes.Place place, @Nullable String reason, long now) {
        Job queued = job.now(JobStatus.QUEUED, Job.Place.in(place));
        journal.putJob(queued);
        tell(queued, place.cost(), null, null, reason, false, false, now);
    }

    private void await(Job waiting, Instant due, @Nullable String reason, long now) {
        journal.putTimer(new Timer(due, Timer.Kind.JOIN, waiting.upstream(), waiting.id()));
        journal.putJob(waiting);
        tell(waiting, due, null, reason, false, now);
    }

    private void deleteTimer(Job job, Timer.Kind kind) {
        Instant due = job.dueAt();
        if (due != null) {
            journal.deleteTimer(new Timer(due, kind, job.upstream(), job.id()));
        }
    }

    private void tell(
            Job job,
            @Nullable Instant dueAt,
            @Nullable Instant finishedAt,
            @Nullable String error,
            boolean answered,
            long now) {
        tell(job, null, dueAt, finishedAt, error, answered, false, now);
    }

    private void tell(
            Job job,
            @Nullable Long laneCost,
            @Nullable Instant dueAt,
            @Nullable Instant finishedAt,
            @Nullable String error,
            boolean answered,
            boolean again,
            long now) {
        journal.send(new JobEvent(
                JobEvent.VERSION,
                job.id(),
                job.spec().tenant(),
                job.upstream(),
                job.status(),
                job.revision(),
                job.tally().attempts(),
                job.spec().priority(),
                job.place().lane(),
                job.place().number(),
                laneCost,
                job.spec().acceptedAt(),
                EpochNanos.toInstant(now),
                dueAt,
                finishedAt,
                error,
                answered,
                job.spec().bodyHash(),
                job.cancel(),
                job.cost(),
                again ? Boolean.TRUE : null));
    }
}
