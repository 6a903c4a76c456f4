package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job as {@code GET /v1/jobs/{id}} tells it: as a list does, and its result.
 *
 * @param result null when there is none, or none yet
 * @param asOf only when this is not the newest state: it is that of this instant
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
record JobView(
        @JsonUnwrapped ListedJob job,
        @Nullable JobResult result,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Boolean resultPending,
        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Instant asOf) {}
