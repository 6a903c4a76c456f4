package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.wire.JobStatus;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A job as a list tells it: every key is there, null where it does not apply. */
@JsonInclude(JsonInclude.Include.ALWAYS)
record ListedJob(
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
        @Nullable String error) {}
