package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.time.Instant;

/**
 * A permit before what is to be called is put to it, which the journal keeps.
 *
 * @param job as it is with the permit
 * @param permit its number
 * @param timeout how long the whole call may take
 */
public record Grant(Job job, long permit, Instant slot, Instant expiresAt, Duration timeout) {
    /** @param request what the job asks for */
    public Permit of(JobRequest request) {
        return new Permit(
                Permit.VERSION,
                job.id(),
                job.spec().tenant(),
                job.upstream(),
                permit,
                slot,
                expiresAt,
                job.tally().attempts(),
                timeout.toMillis(),
                request.request(),
                request.traceparent());
    }
}
