package dev.weir.ingress;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.access.Caller;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What people change while Weir runs, over HTTP: an upstream's settings, pause, resume, and cancel. Thread-safe. */
final class ControlRoutes {
    /** Weights for the most tenants there can be fit in it. */
    static final int MAX_PATCH_BYTES = 64 * 1024;

    private static final List<String> PATCH = List.of("application/merge-patch+json", "application/json");
    private static final Logger LOG = LoggerFactory.getLogger(ControlRoutes.class);

    private final UpstreamChanges upstreams;
    private final Cancellations cancellations;
    private final IngressMetrics metrics;
    private final RequestReader reader;
    private final Executor answers;

    ControlRoutes(
            UpstreamChanges upstreams,
            Cancellations cancellations,
            IngressMetrics metrics,
            InstantSource clock,
            Executor answers) {
        this.upstreams = upstreams;
        this.cancellations = cancellations;
        this.metrics = metrics;
        this.reader = new RequestReader(MAX_PATCH_BYTES, clock);
        this.answers = answers;
    }

    void register(RoutesConfig routes) {
        routes.delete("/v1/jobs/{id}", this::cancel);
        routes.patch("/v1/upstreams/{name}", this::patch);
        routes.post("/v1/upstreams/{name}/pause", ctx -> pause(ctx, true));
        routes.post("/v1/upstreams/{name}/resume", ctx -> pause(ctx, false));
    }

    private void cancel(Context ctx) {
        answer(ctx, cancellations.cancel(Caller.of(ctx), ctx.pathParam("id")));
    }

    private void patch(Context ctx) {
        Caller caller = Caller.of(ctx);
        Reply refusal = RequestReader.mediaType(ctx, PATCH);
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        refusal = refusal == null ? reader.body(ctx, body) : refusal;
        if (refusal != null) {
            answer(ctx, refusal);
            return;
        }
        JsonNode patch;
        try {
            patch = StrictJson.read(body.toByteArray());
        } catch (IOException e) {
            answer(ctx, Reply.problem(StrictJson.malformed(e)));
            return;
        }
        answer(ctx, upstreams.patch(caller, ctx.pathParam("name"), patch));
    }

    private void pause(Context ctx, boolean paused) {
        Caller caller = Caller.of(ctx);
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        Reply refusal = reader.body(ctx, body);
        if (refusal == null && body.size() > 0) {
            // It would say something that has no effect.
            refusal = Reply.problem(400, "Bad Request", "expected no body, but there is one; nothing was changed");
        }
        if (refusal != null) {
            answer(ctx, refusal);
            return;
        }
        answer(ctx, upstreams.pause(caller, ctx.pathParam("name"), paused));
    }

    private void answer(Context ctx, CompletableFuture<Reply> later) {
        ctx.future(() -> later.handleAsync(
                (reply, failure) -> {
                    if (failure != null) {
                        LOG.error("{} {} failed; answered 500", ctx.method(), ctx.path(), failure);
                    }
                    answer(
                            ctx,
                            failure == null
                                    ? reply
                                    : Reply.problem(
                                            500,
                                            "Internal Server Error",
                                            "Weir failed to answer; its log says why. See what is in force before you send it"
                                                    + " again"));
                    return null;
                },
                answers));
    }

    private void answer(Context ctx, Reply reply) {
        reply.write(ctx);
        metrics.answered(reply.status());
    }
}
