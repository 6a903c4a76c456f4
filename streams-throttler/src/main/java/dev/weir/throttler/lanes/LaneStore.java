package dev.weir.throttler.lanes;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Where lanes are kept: every entry under its lane and number, and each lane's own state. */
public interface LaneStore {
    @Nullable
    LaneEntry laneEntry(LaneKey lane, long number);

    /** The entry of this number and those that follow it without a gap, as many as are at hand; empty when it is not there. */
    default List<LaneEntry> laneEntries(LaneKey lane, long number) {
        LaneEntry entry = laneEntry(lane, number);
        return entry == null ? List.of() : List.of(entry);
    }

    void putLaneEntry(LaneKey lane, long number, LaneEntry entry);

    /** Where a lane's entries end. */
    default LaneEnd laneEnd(LaneKey lane) {
        return (number, entry) -> putLaneEntry(lane, number, entry);
    }

    /** Takes one entry after the other at a lane's end. */
    interface LaneEnd {
        /** There was never an entry of this number or a higher one. */
        void append(long number, LaneEntry entry);
    }

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
