package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** Who waits for the end of which job: told by the stream thread, once the store has the job's last state. Thread-safe. */
final class Endings implements StateListener {
    static final int MOST_WAITING = 4_096;

    private final ConcurrentMap<String, List<CompletableFuture<@Nullable Void>>> waiting = new ConcurrentHashMap<>();
    private final Semaphore room = new Semaphore(MOST_WAITING);

    /**
     * Completes when the job ends after this call; null when too many wait already. Whoever gets it completes it when it
     * waits no more. What follows it must be asynchronous: the stream thread completes it.
     */
    @Nullable
    CompletableFuture<@Nullable Void> of(String id) {
        if (!room.tryAcquire()) {
            return null;
        }
        CompletableFuture<@Nullable Void> end = new CompletableFuture<>();
        waiting.compute(id, (key, others) -> {
            List<CompletableFuture<@Nullable Void>> all = others == null ? new ArrayList<>(1) : others;
            all.add(end);
            return all;
        });
        var unused = end.whenComplete((done, failure) -> {
            room.release();
            waiting.computeIfPresent(id, (key, all) -> {
                all.removeIf(other -> other == end);
                return all.isEmpty() ? null : all;
            });
        });
        return end;
    }

    @Override
    public void moved(@Nullable JobEvent from, JobEvent to) {
        List<CompletableFuture<@Nullable Void>> all = to.status().finished() ? waiting.remove(to.id()) : null;
        if (all != null) {
            all.forEach(end -> end.complete(null));
        }
    }

    int waiting() {
        return MOST_WAITING - room.availablePermits();
    }
}
