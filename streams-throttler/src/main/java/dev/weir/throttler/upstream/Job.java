package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job as the throttle keeps it; what is to be called is kept beside it.
 *
 * @param revision counts its changes
 * @param attempts calls made or in flight
 * @param failures calls that count against the retry schedule
 * @param pushbacks times that the upstream said 429 (or 503 with Retry-After)
 * @param doubts times that nobody could say what became of its call while others' outcomes came
 * @param number its number in its lane while {@code queued}
 * @param permit its permit's number while {@code dispatched}
 * @param slot its permit's slot while {@code dispatched}
 * @param dueAt its timer: when it joins its lane, when its call is in doubt, or when it is forgotten
 */
public record Job(
        int v,
        String id,
        String tenant,
        String upstream,
        Priority priority,
        int cost,
        Instant acceptedAt,
        @Nullable Instant deadline,
        String bodyHash,
        JobStatus status,
        long revision,
        int attempts,
        int failures,
        int pushbacks,
        int doubts,
        @Nullable Long number,
        @Nullable Long permit,
        @Nullable Instant slot,
        @Nullable Instant dueAt) {
    public static final int VERSION = 1;

    static Job of(JobRequest request) {
        return new Job(
                VERSION,
                request.id(),
                request.tenant(),
                request.upstream(),
                request.priority(),
                request.cost(),
                request.acceptedAt(),
                request.deadline(),
                request.bodyHash(),
                JobStatus.ACCEPTED,
                0,
                0,
                0,
                0,
                0,
                null,
                null,
                null,
                null);
    }

    LaneKey lane() {
        return new LaneKey(upstream, tenant, priority);
    }

    LaneEntry laneEntry() {
        return new LaneEntry(id, cost, acceptedAt);
    }

    Job queued(long inLane) {
        return with(JobStatus.QUEUED, inLane, null, null, null);
    }

    Job waitingUntil(JobStatus status, Instant due) {
        return with(status, null, null, null, due);
    }

    Job dispatched(long permitNumber, Instant at, Instant doubtAt) {
        return with(JobStatus.DISPATCHED, null, permitNumber, at, doubtAt)
                .counting(attempts + 1, failures, pushbacks, doubts);
    }

    Job finished(JobStatus status, Instant forgetAt) {
        return with(status, null, null, null, forgetAt);
    }

    /** The same state with another due time: no change that anyone else would see. */
    Job dueAgain(Instant due) {
        return with(status, number, permit, slot, due).revised(revision);
    }

    private Job revised(long to) {
        return new Job(
                v,
                id,
                tenant,
                upstream,
                priority,
                cost,
                acceptedAt,
                deadline,
                bodyHash,
                status,
                to,
                attempts,
                failures,
                pushbacks,
                doubts,
                number,
                permit,
                slot,
                dueAt);
    }

    Job counting(int newAttempts, int newFailures, int newPushbacks, int newDoubts) {
        return new Job(
                v,
                id,
                tenant,
                upstream,
                priority,
                cost,
                acceptedAt,
                deadline,
                bodyHash,
                status,
                revision,
                newAttempts,
                newFailures,
                newPushbacks,
                newDoubts,
                number,
                permit,
                slot,
                dueAt);
    }

    private Job with(
            JobStatus newStatus,
            @Nullable Long newNumber,
            @Nullable Long newPermit,
            @Nullable Instant newSlot,
            @Nullable Instant newDueAt) {
        return new Job(
                v,
                id,
                tenant,
                upstream,
                priority,
                cost,
                acceptedAt,
                deadline,
                bodyHash,
                newStatus,
                revision + 1,
                attempts,
                failures,
                pushbacks,
                doubts,
                newNumber,
                newPermit,
                newSlot,
                newDueAt);
    }
}
