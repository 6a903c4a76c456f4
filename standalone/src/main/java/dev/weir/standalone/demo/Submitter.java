package dev.weir.standalone.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.StartException;
import dev.weir.standalone.client.WeirClient;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Submits the demo's jobs as fast as they are taken, in a thread of its own. Thread-safe. */
final class Submitter {
    private static final int MOST_IN_FLIGHT = 64;
    private static final int MOST_ATTEMPTS = 5;
    private static final Duration RETRY_PAUSE = Duration.ofSeconds(1);
    private static final int LARGEST_BODY_CHARS = 20_000;
    private static final long SEED = 42;

    private final WeirClient client;
    private final int jobs;
    private final Semaphore places = new Semaphore(MOST_IN_FLIGHT);
    private final ConcurrentLinkedQueue<String> ids = new ConcurrentLinkedQueue<>();
    private final Random random = new Random(SEED);
    private final String run;
    private volatile @Nullable String failure;

    /** @param run a name that no other run has: with a number it makes each job's idempotency key */
    Submitter(WeirClient client, int jobs, String run) {
        this.client = client;
        this.jobs = jobs;
        this.run = run;
    }

    void start() {
        Thread thread = new Thread(this::submitAll, "demo-submit");
        thread.setDaemon(true);
        thread.start();
    }

    List<String> accepted() {
        return List.copyOf(ids);
    }

    int acceptedCount() {
        return ids.size();
    }

    /** Why a job could not be submitted; null while all goes well. */
    @Nullable
    String failure() {
        return failure;
    }

    private void submitAll() {
        for (int i = 0; i < jobs && failure == null; i++) {
            try {
                places.acquire();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            submit(job(i), run + "-" + i, 1);
        }
    }

    private void submit(ObjectNode job, String key, int attempt) {
        CompletableFuture<WeirClient.Reply> unused = client.submit(job, key).whenComplete((answer, problem) -> {
            if (answer != null && answer.ok()) {
                ids.add(answer.body().path("id").asText());
                places.release();
            } else if (attempt < MOST_ATTEMPTS && (answer == null || answer.status() == 503)) {
                // The key makes this safe: a job that was taken after all stays one job.
                CompletableFuture.delayedExecutor(RETRY_PAUSE.toMillis(), TimeUnit.MILLISECONDS)
                        .execute(() -> submit(job, key, attempt + 1));
            } else {
                failure = answer != null
                        ? answer.problem()
                        : client.unreachable(problem == null ? new StartException("no answer") : problem);
                places.release();
            }
        });
    }

    private ObjectNode job(int number) {
        ObjectNode job = Json.MAPPER.createObjectNode().put("upstream", DemoOptions.UPSTREAM);
        ObjectNode body = job.putObject("request")
                .put("path", "/v1/items/" + number)
                .putObject("body")
                .put("item", number);
        // Most are small, a few are large, as real ones are.
        double size = Math.pow(random.nextDouble(), 4);
        body.put("text", "x".repeat((int) (size * LARGEST_BODY_CHARS)));
        return job;
    }
}
