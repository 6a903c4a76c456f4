package dev.weir.throttler.lanes;

import java.time.Instant;

/** A job in its lane: what the turn needs to know of it. */
public record LaneEntry(String jobId, int cost, Instant acceptedAt) {}
