package dev.weir.contracts.http;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Waits for the ends of jobs. The status service answers it in-process and, under {@code /internal/finished-jobs/{id}}, over
 * HTTP. Implementations are thread-safe, never block the caller and hold no thread while they wait.
 */
public interface FinishedJobs {
    /**
     * The finished job as JSON, as {@code GET /v1/jobs/{id}} tells it; null when it does not end in time, or that cannot be
     * told. Never fails.
     */
    CompletableFuture<byte @Nullable []> within(String id, Duration patience);
}
