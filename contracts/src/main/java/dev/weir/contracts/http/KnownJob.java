package dev.weir.contracts.http;

import dev.weir.contracts.wire.JobStatus;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the ingress needs of a job that came before: to answer a repeated {@code Idempotency-Key}, and a cancellation.
 *
 * @param bodyHash SHA-256 (hex) of what the client asked for
 * @param cancel the id of the newest cancellation that was decided on; null while none was
 */
public record KnownJob(
        String id,
        String tenant,
        String bodyHash,
        String upstream,
        Instant acceptedAt,
        JobStatus status,
        @Nullable String cancel) {}
