package dev.weir.contracts.wire;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Where a job stands. The last four are ends: a job reaches exactly one of them and never leaves it. */
public enum JobStatus {
    /** Durable in {@code weir.requests}; the throttle has not seen it yet. */
    @JsonProperty("accepted")
    ACCEPTED(false),
    /** Waits for its {@code notBefore}. */
    @JsonProperty("scheduled")
    SCHEDULED(false),
    /** Stands in its lane. */
    @JsonProperty("queued")
    QUEUED(false),
    /** Has a permit: its call is about to be made, or is being made. */
    @JsonProperty("dispatched")
    DISPATCHED(false),
    /** Its call failed; waits for the next attempt of the retry schedule. */
    @JsonProperty("retrying")
    RETRYING(false),
    @JsonProperty("succeeded")
    SUCCEEDED(true),
    @JsonProperty("dead")
    DEAD(true),
    @JsonProperty("cancelled")
    CANCELLED(true),
    @JsonProperty("expired")
    EXPIRED(true);

    private final boolean finished;

    JobStatus(boolean finished) {
        this.finished = finished;
    }

    public boolean finished() {
        return finished;
    }
}
