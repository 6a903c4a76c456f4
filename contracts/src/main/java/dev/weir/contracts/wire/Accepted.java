package dev.weir.contracts.wire;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Says that a job is durable in {@code weir.requests}; written after it and before the 202. Topic {@code weir.accepted},
 * key: the job's id. No transaction touches that topic, so the status service sees it at once. Its revision is 0.
 *
 * @param bodyHash as in {@link JobRequest}
 * @param cost permits that its call spends, from 1
 */
public record Accepted(
        int v,
        String id,
        String tenant,
        String upstream,
        Priority priority,
        @Nullable Instant notBefore,
        Instant acceptedAt,
        String bodyHash,
        int cost) {
    public static final int VERSION = 1;

    public Accepted {
        // Not told by older writers.
        cost = Math.max(1, cost);
    }
}
