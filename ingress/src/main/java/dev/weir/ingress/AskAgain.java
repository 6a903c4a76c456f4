package dev.weir.ingress;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Asks again, in growing steps, until there is an answer or time is up. No thread waits meanwhile. Thread-safe. */
final class AskAgain implements AutoCloseable {
    static final Duration FIRST_STEP = Duration.ofMillis(20);
    static final Duration LONGEST_STEP = Duration.ofMillis(500);

    private final ScheduledThreadPoolExecutor steps;

    AskAgain() {
        steps = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, "ingress-ask-again");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * The first answer that is not null; null when there is none in time.
     *
     * @param ask a failure is taken as no answer; never blocks
     */
    <T> CompletableFuture<@Nullable T> within(Duration patience, Supplier<CompletableFuture<@Nullable T>> ask) {
        CompletableFuture<@Nullable T> answer = new CompletableFuture<>();
        var unused = answer.completeOnTimeout(null, patience.toMillis(), TimeUnit.MILLISECONDS);
        ask(answer, ask, FIRST_STEP);
        return answer;
    }

    private <T> void ask(
            CompletableFuture<@Nullable T> answer, Supplier<CompletableFuture<@Nullable T>> ask, Duration step) {
        if (answer.isDone()) {
            return;
        }
        CompletableFuture<@Nullable T> asked;
        try {
            asked = ask.get();
        } catch (RuntimeException e) {
            asked = CompletableFuture.failedFuture(e);
        }
        var unused = asked.whenComplete((found, failure) -> {
            if (found != null) {
                answer.complete(found);
            } else if (!steps.isShutdown()) {
                Duration twice = step.multipliedBy(2);
                ScheduledFuture<?> unusedNext = steps.schedule(
                        () -> ask(answer, ask, twice.compareTo(LONGEST_STEP) < 0 ? twice : LONGEST_STEP),
                        step.toMillis(),
                        TimeUnit.MILLISECONDS);
            }
        });
    }

    @Override
    public void close() {
        steps.shutdownNow();
    }
}
