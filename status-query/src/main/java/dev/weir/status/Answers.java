package dev.weir.status;

import dev.weir.contracts.http.Problem;
import dev.weir.contracts.http.Sending;
import dev.weir.contracts.kafka.Json;
import io.javalin.http.Context;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** How the status service answers over HTTP. */
final class Answers {
    static final long RETRY_AFTER_SECONDS = 1;
    private static final Logger LOG = LoggerFactory.getLogger(Answers.class);

    private Answers() {}

    interface Asynchronous {
        CompletableFuture<@Nullable Void> start();
    }

    /** Answers when the work is done, and with a problem when it fails. */
    static void later(Context ctx, Asynchronous work) {
        ctx.future(() -> started(work)
                .exceptionally(failure -> {
                    failed(ctx, failure);
                    return null;
                })
                .thenCompose(done -> Sending.result(ctx)));
    }

    private static CompletableFuture<@Nullable Void> started(Asynchronous work) {
        try {
            return work.start();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Says, when this is not the newest, of when it is. */
    static void age(Context ctx, @Nullable Instant asOf, Instant now) {
        if (asOf != null) {
            ctx.header(
                    "Age", Long.toString(Math.max(0, Duration.between(asOf, now).toSeconds())));
        }
    }

    private static void failed(Context ctx, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof StatusUnavailableException || cause instanceof RejectedExecutionException) {
            unavailable(ctx, String.valueOf(JobLookup.unavailable(cause).getMessage()));
            return;
        }
        LOG.error("GET {} failed; answered 500", ctx.path(), cause);
        Problem.of(500, "Internal Server Error", "Weir failed to answer; its log says why")
                .write(ctx);
    }

    static void unavailable(Context ctx, String detail) {
        Problem.of(503, "Service Unavailable", detail).write(ctx, RETRY_AFTER_SECONDS);
    }

    static void notFound(Context ctx, String detail) {
        Problem.of(404, "Not Found", detail).write(ctx);
    }

    static void noJob(Context ctx, String id) {
        notFound(
                ctx,
                "no job " + shown(id) + " is known; finished jobs are forgotten after "
                        + StatusTopology.KEEP_FINISHED.toDays() + " days");
    }

    /** What a client wrote, as far as it is safe and short enough to be repeated. */
    static String shown(String given) {
        String cleaned = given.replaceAll("[^A-Za-z0-9_.-]", "?");
        return cleaned.length() <= 64 ? cleaned : cleaned.substring(0, 64) + "…";
    }

    static void json(Context ctx, Object body) {
        ctx.contentType("application/json").result(Json.bytes(body));
    }
}
