package dev.weir.throttler.lanes;

import org.jspecify.annotations.Nullable;

/** Where lanes are kept: every entry under its lane and number, and each lane's own state. */
public interface LaneStore {
    @Nullable
    LaneEntry laneEntry(LaneKey lane, long number);

    void putLaneEntry(LaneKey lane, long number, LaneEntry entry);

    void deleteLaneEntry(LaneKey lane, long number);

    void putLane(LaneState lane);

    void deleteLane(LaneKey lane);
}
