package dev.weir.contracts.wire;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A job as the ingress took it. Topic {@code weir.requests}, key: the upstream's name.
 *
 * @param v the version of this record's form, 1
 * @param id the job's id, a UUID
 * @param cost permits that its call spends in every window, from 1
 * @param acceptedAt when the ingress took it
 * @param bodyHash SHA-256 (hex) of what the client asked for: tells a repeated submission from another one under the same id
 * @param traceparent W3C trace context of the submission
 */
public record JobRequest(
        int v,
        String id,
        String tenant,
        String upstream,
        Call request,
        Priority priority,
        @Nullable Instant notBefore,
        @Nullable Instant deadline,
        int cost,
        Instant acceptedAt,
        String bodyHash,
        @Nullable String traceparent) {
    public static final int VERSION = 1;

    public JobRequest {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(tenant, "tenant");
        Objects.requireNonNull(upstream, "upstream");
        Objects.requireNonNull(request, "request");
        Objects.requireNonNull(priority, "priority");
        Objects.requireNonNull(acceptedAt, "acceptedAt");
        Objects.requireNonNull(bodyHash, "bodyHash");
        if (cost < 1) {
            throw new IllegalArgumentException("cost is " + cost + ", expected 1 or more");
        }
    }
}
