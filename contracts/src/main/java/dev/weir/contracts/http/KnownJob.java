package dev.weir.contracts.http;

import java.time.Instant;

/**
 * What the ingress needs of a job that came before, to answer a repeated {@code Idempotency-Key}.
 *
 * @param bodyHash SHA-256 (hex) of what the client asked for
 * @param finished whether the job has reached an end
 */
public record KnownJob(
        String id, String tenant, String bodyHash, String upstream, Instant acceptedAt, boolean finished) {}
