package dev.weir.throttler.lanes;

import dev.weir.contracts.wire.Priority;

/** Names a lane: the waiting jobs of one tenant with one priority, for one upstream. */
public record LaneKey(String upstream, String tenant, Priority priority) {}
