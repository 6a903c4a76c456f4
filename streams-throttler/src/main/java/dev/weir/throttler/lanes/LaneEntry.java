package dev.weir.throttler.lanes;

import java.time.Instant;

/**
 * A job in its lane: what the turn needs to know of it.
 *
 * @param first whether it came here when it was submitted: it has had no other state since
 */
public record LaneEntry(String jobId, int cost, Instant acceptedAt, boolean first) {}
