package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
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
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Instant asOf) {}
