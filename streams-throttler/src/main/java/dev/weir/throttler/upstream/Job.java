package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.Lanes;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job as the throttle keeps it; what is to be called is kept beside it.
 *
 * @param revision counts its changes
 * @param cancel the id of the newest cancellation that was decided on
 */
public record Job(
        int v,
        Spec spec,
        JobStatus status,
        long revision,
        Tally tally,
        Place place,
        @Nullable String cancel) {
    public static final int VERSION = 1;

    /** What its submission said; never changes. */
    public record Spec(
            String id,
            String tenant,
            String upstream,
            Priority priority,
            int cost,
            Instant acceptedAt,
            @Nullable Instant deadline,
            String bodyHash) {}

    /**
     * What was counted.
     *
     * @param attempts calls made or in flight
     * @param failures calls that count against the retry schedule
     * @param pushbacks times that the upstream said 429 (or 503 with Retry-After)
     * @param doubts times that nobody could say what became of its call while others' outcomes came
     */
    public record Tally(int attempts, int failures, int pushbacks, int doubts) {
        static final Tally NONE = new Tally(0, 0, 0, 0);

        Tally called() {
            return new Tally(attempts + 1, failures, pushbacks, doubts);
        }

        Tally notCalled() {
            return new Tally(attempts - 1, failures, pushbacks, doubts);
        }

        /** It costs the job no attempt: the next call has the same number. */
        Tally pushedBack() {
            return new Tally(attempts - 1, failures, pushbacks + 1, doubts);
        }

        Tally failed() {
            return new Tally(attempts, failures + 1, pushbacks, doubts);
        }

        Tally doubted() {
            return new Tally(attempts, failures, pushbacks, doubts + 1);
        }
    }

    /**
     * Where it is: in a lane, out with a permit, or waiting for a time.
     *
     * @param lane the tenant of its lane while {@code queued}, and its number there
     * @param permit its permit's number while {@code dispatched}, and its slot
     * @param dueAt its timer: when it joins its lane, when its call is in doubt, or when it is forgotten
     */
    public record Place(
            @Nullable String lane,
            @Nullable Long number,
            @Nullable Long permit,
            @Nullable Instant slot,
            @Nullable Instant dueAt) {
        static final Place NOWHERE = new Place(null, null, null, null, null);

        static Place in(Lanes.Place place) {
            return new Place(place.lane().tenant(), place.number(), null, null, null);
        }

        static Place out(long permit, Instant slot, Instant doubtAt) {
            return new Place(null, null, permit, slot, doubtAt);
        }

        static Place until(Instant dueAt) {
            return new Place(null, null, null, null, dueAt);
        }
    }

    static Job of(Spec spec) {
        return new Job(VERSION, spec, JobStatus.ACCEPTED, 0, Tally.NONE, Place.NOWHERE, null);
    }

    public String id() {
        return spec.id();
    }

    public String upstream() {
        return spec.upstream();
    }

    public int cost() {
        return spec.cost();
    }

    @Nullable
    Instant deadline() {
        return spec.deadline();
    }

    @Nullable
    Instant dueAt() {
        return place.dueAt();
    }

    /** The lane that it would stand in, were there room for it. */
    LaneKey ownLane() {
        return new LaneKey(spec.upstream(), spec.tenant(), spec.priority());
    }

    LaneEntry laneEntry() {
        return new LaneEntry(spec.id(), spec.cost(), spec.acceptedAt(), revision == 0);
    }

    /** Its next state. */
    Job now(JobStatus newStatus, Place newPlace) {
        return new Job(v, spec, newStatus, revision + 1, tally, newPlace, cancel);
    }

    Job counting(Tally newTally) {
        return new Job(v, spec, status, revision, newTally, place, cancel);
    }

    /** The same state with another due time: no change that anyone else would see. */
    Job dueAgain(Instant due) {
        return new Job(
                v,
                spec,
                status,
                revision,
                tally,
                new Place(place.lane(), place.number(), place.permit(), place.slot(), due),
                cancel);
    }

    /** A cancellation of it was decided on. */
    Job decided(String cancellation) {
        return new Job(v, spec, status, revision, tally, place, cancellation);
    }
}
