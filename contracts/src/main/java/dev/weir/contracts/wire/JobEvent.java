package dev.weir.contracts.wire;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A change of a job's state, written by the throttle alone. Topic {@code weir.job-events}, key: the job's id. Each event is
 * the whole state: the one with the highest revision is the job's state.
 *
 * @param revision counts the job's changes from 1 ({@link Accepted} is 0); a lower one never overwrites a higher
 * @param attempts calls made so far, the one in flight included
 * @param lane with priority, names the lane while {@code queued}: the tenant's own, or the one that is shared when there are
 *     too many
 * @param laneSeq the job's number in its lane while {@code queued}: its place is this minus the lane's head, plus one
 * @param laneCost while {@code queued}: its lane's count of cost when it joined, which is to cost what {@code laneSeq} is to
 *     jobs; null when it was not told
 * @param dueAt while {@code scheduled} or {@code retrying}: when it joins its lane; while {@code dispatched}: its slot
 * @param finishedAt set once the status is an end
 * @param error why it is retrying, dead or expired, for a person
 * @param cancel the id of the newest {@link CancelRequest} that was decided on; it was too late unless the status is
 *     {@code cancelled}
 * @param answered whether a finished job has an answer of the upstream in the results
 * @param cost permits that its call spends, from 1
 * @param again true when the status is that of the event before and only a cancellation was decided on; null else
 */
public record JobEvent(
        int v,
        String id,
        String tenant,
        String upstream,
        JobStatus status,
        long revision,
        int attempts,
        Priority priority,
        @Nullable String lane,
        @Nullable Long laneSeq,
        @Nullable Long laneCost,
        Instant acceptedAt,
        Instant updatedAt,
        @Nullable Instant dueAt,
        @Nullable Instant finishedAt,
        @Nullable String error,
        boolean answered,
        String bodyHash,
        @Nullable String cancel,
        int cost,
        @Nullable Boolean again) {
    public static final int VERSION = 1;

    public JobEvent {
        // Not told by older writers.
        cost = Math.max(1, cost);
    }
}
