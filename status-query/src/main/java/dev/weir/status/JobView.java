package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job as {@code GET /v1/jobs/{id}} tells it: every key is there, null where it does not apply.
 *
 * @param asOf only when this is not the newest state: it is that of this instant
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
record JobView(
        String id,
        String tenant,
        String upstream,
        JobStatus status,
        int attempts,
        Instant acceptedAt,
        Instant updatedAt,
        @Nullable Long position,
        @Nullable Instant eta,
        @Nullable Instant finishedAt,
        @Nullable String error,
        @Nullable JobResult result,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Boolean resultPending,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Instant asOf) {
    static JobView of(JobEvent job, JobResults.Found found, Waits waits, @Nullable Instant asOf) {
        return new JobView(
                job.id(),
                job.tenant(),
                job.upstream(),
                job.status(),
                job.attempts(),
                job.acceptedAt(),
                job.updatedAt(),
                waits.position(job),
                waits.eta(job),
                job.finishedAt(),
                job.error(),
                found.result(),
                found.pending() ? Boolean.TRUE : null,
                asOf);
    }
}
