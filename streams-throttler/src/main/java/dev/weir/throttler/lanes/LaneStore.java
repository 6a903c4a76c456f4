package dev.weir.throttler.lanes;

import org.jspecify.annotations.Nullable;

/** Where lanes are kept: every entry under its lane and number, and each lane's own state. */
public interface LaneStore {
    @Nullable
    LaneEntry laneEntry(LaneKey lane, long number);

    void putLaneEntry(LaneKey lane, long number, LaneEntry entry);

    /** It is taken out of its lane, which may be anywhere in it. */
    void deleteLaneEntry(LaneKey lane, long number);

    /** The lane's head goes past this number: it is not read any more unless it is put again. */
    default void passLaneEntry(LaneKey lane, long number) {
        deleteLaneEntry(lane, number);
    }

    void putLane(LaneState lane);

    /** @param head every number before it was passed, and nobody stands at it or behind it */
    void deleteLane(LaneKey lane, long head);
}
