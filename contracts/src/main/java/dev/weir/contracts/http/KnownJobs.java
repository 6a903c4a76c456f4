package dev.weir.contracts.http;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Looks up a job by its id among those that Weir has accepted. The status service answers it in-process and, under
 * {@code /internal/known-jobs/{id}}, over HTTP. Implementations are thread-safe and never block the caller.
 */
public interface KnownJobs {
    /**
     * The job, or null when no job with that id was accepted before the call. Fails when that cannot be known in a bounded
     * time: a failure is not "unknown", and who asks must not take it so.
     */
    CompletableFuture<@Nullable KnownJob> find(String id);
}
