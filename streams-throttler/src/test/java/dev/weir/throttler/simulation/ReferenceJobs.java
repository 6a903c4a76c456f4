package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The life of each job, written down a second time from the contract. What goes in says what must come out: one change of
 * that job, or none. In a tick, the head of any lane may go, or has no chance any more.
 */
final class ReferenceJobs {
    private static final int FREE_PUSHBACKS = 20;
    private static final int DOUBTS = 5;
    private static final long DOUBT_MARGIN = Duration.ofSeconds(10).toNanos();

    /** What is known of a job. */
    static final class Known {
        final JobRequest request;
        JobStatus status = JobStatus.ACCEPTED;
        long revision;
        int attempts;
        int failures;
        int pushbacks;
        int doubts;
        long laneSeq;
        long permit = -1;
        long slot;
        long doubtAt;

        @Nullable
        Instant dueAt;

        @Nullable
        String cancel;

        Known(JobRequest request) {
            this.request = request;
        }

        LaneKey lane() {
            return new LaneKey(request.upstream(), request.tenant(), request.priority());
        }
    }

    private final Map<String, Known> jobs = new HashMap<>();
    private final Map<LaneKey, TreeMap<Long, Known>> lanes = new HashMap<>();
    private final FairnessWatch fairness;
    private Settings settings;
    private long inFlight;
    private int ended;

    /** What must come next, of this job; no job when nothing must. */
    private @Nullable Known expectedOf;

    private @Nullable JobStatus expected;
    private boolean optional;
    private boolean ticking;
    private long now;

    ReferenceJobs(Settings settings) {
        this.settings = settings;
        this.fairness = new FairnessWatch(settings.weights());
    }

    void configure(Settings newSettings, long at) {
        begin(at);
        settings = newSettings;
        fairness.configure(newSettings.weights());
    }

    long inFlight() {
        return inFlight;
    }

    int ended() {
        return ended;
    }

    @Nullable
    Known find(String id) {
        return jobs.get(id);
    }

    Collection<Known> all() {
        return jobs.values();
    }

    /** The different costs of the jobs whose turn it may be, as far as any window takes them. */
    List<Integer> headCosts() {
        List<Integer> costs = new ArrayList<>();
        for (TreeMap<Long, Known> lane : lanes.values()) {
            if (!lane.isEmpty()) {
                int cost = (int) Math.min(lane.firstEntry().getValue().request.cost(), settings.smallestBudget());
                if (!costs.contains(cost)) {
                    costs.add(cost);
                }
            }
        }
        return costs;
    }

    /** @return whether this changes what is kept of the upstream itself */
    boolean submitted(JobRequest request, long at) {
        begin(at);
        if (jobs.containsKey(request.id())) {
            return false;
        }
        Known job = new Known(request);
        jobs.put(request.id(), job);
        Instant notBefore = request.notBefore();
        if (request.cost() > settings.smallestBudget()) {
            expect(job, JobStatus.DEAD);
        } else if (overdue(job)) {
            expect(job, JobStatus.EXPIRED);
        } else if (notBefore != null && EpochNanos.of(notBefore) > at) {
            expect(job, JobStatus.SCHEDULED);
            job.dueAt = notBefore;
        } else {
            expect(job, JobStatus.QUEUED);
        }
        return expected == JobStatus.SCHEDULED;
    }

    /** @return whether this changes what is kept of the upstream itself */
    boolean cancelled(CancelRequest request, long at) {
        begin(at);
        Known job = jobs.get(request.jobId());
        if (job == null || !job.request.tenant().equals(request.tenant()) || job.status.finished()) {
            return false;
        }
        job.cancel = request.id();
        expect(job, job.status == JobStatus.DISPATCHED ? JobStatus.DISPATCHED : JobStatus.CANCELLED);
        return true;
    }

    /** @return the job, unless it had ended before */
    @Nullable
    Known heard(Outcome outcome, ReferenceVerdict verdict, long at) {
        begin(at);
        Known job = jobs.get(outcome.jobId());
        if (job == null || job.status.finished()) {
            return null;
        }
        boolean current = job.status == JobStatus.DISPATCHED && job.permit == outcome.permit();
        if (verdict.kind() == ReferenceVerdict.Kind.SUCCESS) {
            expect(job, JobStatus.SUCCEEDED);
        } else if (current) {
            switch (verdict.kind()) {
                case RETURNED -> {
                    job.attempts--;
                    expectBack(job);
                }
                case PUSHBACK -> {
                    if (job.pushbacks < FREE_PUSHBACKS) {
                        job.pushbacks++;
                        job.attempts--;
                        expectBack(job);
                    } else {
                        expectRetry(job);
                    }
                }
                case FAILURE -> expectRetry(job);
                default -> expect(job, JobStatus.DEAD);
            }
        }
        return job;
    }

    /** @return the job when this puts it in doubt, if the throttle thinks it is time */
    @Nullable
    Known fired(Timer timer, boolean aloneInDoubt, long at) {
        begin(at);
        Known job = jobs.get(timer.jobId());
        if (EpochNanos.of(timer.due()) > at) {
            throw new AssertionError(timer + " fired early");
        }
        if (job == null || job.status.finished()) {
            return null;
        }
        switch (timer.kind()) {
            case JOIN -> {
                if ((job.status == JobStatus.SCHEDULED || job.status == JobStatus.RETRYING)
                        && timer.due().equals(job.dueAt)) {
                    expect(job, JobStatus.QUEUED);
                }
            }
            case DOUBT -> {
                if (job.status == JobStatus.DISPATCHED && at >= job.doubtAt) {
                    if (job.doubts + (aloneInDoubt ? 1 : 0) > DOUBTS) {
                        expect(job, JobStatus.DEAD);
                    } else {
                        expectBack(job);
                    }
                    // After a stall it first listens.
                    optional = true;
                    return job;
                }
            }
            case DEADLINE -> {
                if (job.status != JobStatus.DISPATCHED) {
                    expect(job, JobStatus.EXPIRED);
                }
            }
            default -> throw new AssertionError(timer + " forgets a job that has not ended");
        }
        return null;
    }

    void ticking(long at) {
        begin(at);
        ticking = true;
    }

    /** Whatever the last thing that went in had to bring has come. */
    void end() {
        if (expectedOf != null && !optional) {
            throw new AssertionError("job " + expectedOf.request.id() + " is " + expectedOf.status + " and should be "
                    + expected + ", but nothing came");
        }
        expectedOf = null;
        optional = false;
        ticking = false;
    }

    /** @return what was known of it until now, for who must know */
    Known changed(JobEvent event) {
        Known job = jobs.get(event.id());
        if (job == null) {
            throw new AssertionError("nobody submitted the job of " + event);
        }
        if (job.status.finished()) {
            throw new AssertionError("job " + event.id() + " had ended as " + job.status + ", and now: " + event);
        }
        if (event.revision() <= job.revision) {
            throw new AssertionError("job " + event.id() + " went from revision " + job.revision + " to " + event);
        }
        JobStatus to = event.status();
        if (ticking) {
            inTick(job, to, event);
        } else if (job != expectedOf || to != expected) {
            throw new AssertionError("expected " + (expectedOf == null ? "nothing" : expectedOf.request.id())
                    + " to be " + expected + ", but: " + event);
        }
        expectedOf = null;
        if (job.status == JobStatus.DISPATCHED && to == JobStatus.DISPATCHED) {
            // Its cancellation came too late: nothing else changes.
            job.revision = event.revision();
            return job;
        }
        leave(job, to);
        job.status = to;
        job.revision = event.revision();
        if (event.attempts() != job.attempts || !Objects.equals(event.cancel(), job.cancel)) {
            throw new AssertionError("job " + event.id() + " made " + job.attempts + " attempts, its cancellation is "
                    + job.cancel + ", but: " + event);
        }
        enter(job, event);
        return job;
    }

    private void inTick(Known job, JobStatus to, JobEvent event) {
        TreeMap<Long, Known> lane = lanes.get(job.lane());
        if (job.status != JobStatus.QUEUED || lane == null || lane.firstEntry().getValue() != job) {
            throw new AssertionError("job " + job.request.id() + " is not the first of its lane, but: " + event);
        }
        boolean tooCostly = job.request.cost() > settings.smallestBudget();
        Instant deadline = job.request.deadline();
        boolean mayGo = to == JobStatus.DISPATCHED && !tooCostly;
        boolean mayDie = to == JobStatus.DEAD && tooCostly;
        boolean mayExpire = to == JobStatus.EXPIRED
                && deadline != null
                && EpochNanos.of(deadline) <= now + dev.weir.throttler.upstream.Throttle.AHEAD.toNanos();
        if (!mayGo && !mayDie && !mayExpire) {
            throw new AssertionError("no reason for: " + event);
        }
        if (mayGo) {
            job.attempts++;
        }
    }

    private void leave(Known job, JobStatus to) {
        if (job.status == JobStatus.DISPATCHED) {
            inFlight--;
            job.permit = -1;
        } else if (job.status == JobStatus.QUEUED) {
            lanes.get(job.lane()).remove(job.laneSeq);
            if (to == JobStatus.DISPATCHED) {
                fairness.served(job.lane(), job.request.cost());
            } else {
                fairness.left(job.lane());
            }
        }
    }

    private void enter(Known job, JobEvent event) {
        switch (job.status) {
            case QUEUED -> {
                Long laneSeq = event.laneSeq();
                if (laneSeq == null
                        || lanes.computeIfAbsent(job.lane(), l -> new TreeMap<>())
                                        .put(laneSeq, job)
                                != null) {
                    throw new AssertionError("no place of its own in the lane: " + event);
                }
                job.laneSeq = laneSeq;
                fairness.joined(job.lane(), job.request.cost());
            }
            case DISPATCHED -> inFlight++;
            case SCHEDULED, RETRYING -> {
                if (event.dueAt() == null || !event.dueAt().equals(job.dueAt)) {
                    throw new AssertionError("due at " + job.dueAt + ", but: " + event);
                }
            }
            default -> ended++;
        }
    }

    /** It was given a permit: it is dispatched by now. */
    void gave(Known job, long permit, long slot) {
        job.permit = permit;
        job.slot = slot;
        job.doubtAt = slot + settings.permitTtl().toNanos() + settings.timeout().toNanos() + DOUBT_MARGIN;
    }

    private void begin(long at) {
        end();
        now = at;
    }

    private void expect(Known job, JobStatus status) {
        expectedOf = job;
        expected = status;
    }

    private void expectBack(Known job) {
        expect(job, overdue(job) ? JobStatus.EXPIRED : JobStatus.QUEUED);
    }

    private void expectRetry(Known job) {
        if (job.failures >= settings.retryDelays().size()) {
            expect(job, JobStatus.DEAD);
        } else if (overdue(job)) {
            expect(job, JobStatus.EXPIRED);
        } else {
            job.dueAt = EpochNanos.toInstant(now).plus(settings.retryDelays().get(job.failures));
            job.failures++;
            expect(job, JobStatus.RETRYING);
        }
    }

    private boolean overdue(Known job) {
        Instant deadline = job.request.deadline();
        return deadline != null && EpochNanos.of(deadline) <= now;
    }
}
