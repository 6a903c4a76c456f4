package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Wakes those who wait for the next change of a job whose partition is here. Thread-safe. */
final class Changes implements StateListener {
    private final Map<String, List<CompletableFuture<@Nullable Void>>> waiting = new ConcurrentHashMap<>();

    /** Callbacks must be asynchronous: the stream thread completes them. */
    @Override
    public void moved(@Nullable JobEvent from, JobEvent to) {
        if (waiting.isEmpty()) {
            return;
        }
        List<CompletableFuture<@Nullable Void>> woken = waiting.remove(to.id());
        if (woken != null) {
            woken.forEach(future -> future.complete(null));
        }
    }

    /**
     * Completes with the next change after this call, or when it has been waited for so long. Who needs it no more may complete
     * it.
     */
    CompletableFuture<@Nullable Void> next(String id, long waitMs) {
        CompletableFuture<@Nullable Void> future = new CompletableFuture<>();
        waiting.compute(id, (key, others) -> {
            List<CompletableFuture<@Nullable Void>> all = others == null ? new CopyOnWriteArrayList<>() : others;
            all.add(future);
            return all;
        });
        var unused = future.whenComplete((done, failure) -> waiting.computeIfPresent(id, (key, all) -> {
            all.removeIf(other -> other == future);
            return all.isEmpty() ? null : all;
        }));
        return future.completeOnTimeout(null, waitMs, TimeUnit.MILLISECONDS);
    }

    /** How many jobs are waited for. */
    int jobs() {
        return waiting.size();
    }
}
