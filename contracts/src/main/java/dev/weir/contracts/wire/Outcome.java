package dev.weir.contracts.wire;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What became of a permit, as the dispatcher saw it. Topic {@code weir.outcomes}, key: the upstream's name. It says what
 * happened; what follows from it (a retry, a hold, the dead letters) is the throttle's decision.
 *
 * @param startedAt when the call was about to be written; null when it never was
 * @param endedAt when the answer was complete, the call failed, or the permit was handed back
 * @param answer the upstream's answer; only when {@link Kind#ANSWERED}
 * @param error why there is no answer, for a person; null when there is one
 */
public record Outcome(
        int v,
        String jobId,
        String tenant,
        String upstream,
        long permit,
        int attempt,
        Kind kind,
        Instant slot,
        @Nullable Instant startedAt,
        Instant endedAt,
        @Nullable Answer answer,
        @Nullable String error) {
    public static final int VERSION = 1;

    public Outcome {
        Objects.requireNonNull(jobId, "jobId");
        Objects.requireNonNull(tenant, "tenant");
        Objects.requireNonNull(upstream, "upstream");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(slot, "slot");
        Objects.requireNonNull(endedAt, "endedAt");
    }

    public enum Kind {
        /** The upstream answered, whatever the status. */
        @JsonProperty("answered")
        ANSWERED,
        /** The call was started, or tried, and brought no answer: refused, reset, timed out. */
        @JsonProperty("failed")
        FAILED,
        /** No call was made: the permit came too late, or its holder is going down. Its cost comes back. */
        @JsonProperty("returned")
        RETURNED,
        /** The dispatcher refuses the call itself (it would leave the base URL, say): no attempt could succeed. No call was made. */
        @JsonProperty("refused")
        REFUSED
    }
}
