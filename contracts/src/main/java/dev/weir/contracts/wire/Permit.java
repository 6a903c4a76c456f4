package dev.weir.contracts.wire;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A permit for one call, with the call. Topic {@code weir.dispatch}, key: the job's id. It is good for one call that starts
 * inside [{@code slot}, {@code expiresAt}); after that it is handed back unused.
 *
 * @param permit the permit's number, dense within the upstream
 * @param slot the earliest instant at which the call may start
 * @param expiresAt the first instant at which it may no longer start
 * @param attempt the call's number within the job, from 1: what {@code X-Attempt} says
 * @param timeoutMs how long the whole call may take
 */
public record Permit(
        int v,
        String jobId,
        String tenant,
        String upstream,
        long permit,
        Instant slot,
        Instant expiresAt,
        int attempt,
        long timeoutMs,
        Call request,
        @Nullable String traceparent) {
    public static final int VERSION = 1;

    public Permit {
        Objects.requireNonNull(jobId, "jobId");
        Objects.requireNonNull(tenant, "tenant");
        Objects.requireNonNull(upstream, "upstream");
        Objects.requireNonNull(slot, "slot");
        Objects.requireNonNull(expiresAt, "expiresAt");
        Objects.requireNonNull(request, "request");
    }
}
