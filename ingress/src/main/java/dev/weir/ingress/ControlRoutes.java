package dev.weir.ingress;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.access.Caller;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What people change while Weir runs, over HTTP: an upstream's settings, pause, resume, and cancel. Thread-safe. */
final class ControlRoutes {
    /** Of a body: weights for the most tenants there can be fit in it. */
    static final int MAX_PATCH_BYTES = 64 * 1024;

    private static final List<String> PATCH = List.of("application/merge-patch+json", "application/json");
    private static final String IF_IT_FAILS = "See what is in force before you send it again";

    private final UpstreamChanges upstreams;
    private final Cancellations cancellations;
    private final RequestReader reader;
    private final Answers answers;

    ControlRoutes(UpstreamChanges upstreams, Cancellations cancellations, RequestReader reader, Answers answers) {
        this.upstreams = upstreams;
        this.cancellations = cancellations;
        this.reader = reader;
        this.answers = answers;
    }

    void register(RoutesConfig routes) {
        routes.delete("/v1/jobs/{id}", this::cancel);
        routes.patch("/v1/upstreams/{name}", this::patch);
        routes.post("/v1/upstreams/{name}/pause", ctx -> pause(ctx, true));
        routes.post("/v1/upstreams/{name}/resume", ctx -> pause(ctx, false));
    }

    private void cancel(Context ctx) {
        Caller caller = Caller.of(ctx);
        answers.later(ctx, () -> cancellations.cancel(caller, ctx.pathParam("id")), IF_IT_FAILS);
    }

    private void patch(Context ctx) {
        Caller caller = Caller.of(ctx);
        Reply refusal = RequestReader.mediaType(ctx, PATCH);
        if (refusal != null) {
            answers.now(ctx, refusal);
            return;
        }
        answers.later(ctx, () -> reader.body(ctx, body -> patch(caller, ctx.pathParam("name"), body)), IF_IT_FAILS);
    }

    private CompletableFuture<Reply> patch(Caller caller, String name, byte[] body) {
        JsonNode patch;
        try {
            patch = StrictJson.read(body);
        } catch (IOException e) {
            return CompletableFuture.completedFuture(Reply.problem(StrictJson.malformed(e)));
        }
        return upstreams.patch(caller, name, patch);
    }

    private void pause(Context ctx, boolean paused) {
        Caller caller = Caller.of(ctx);
        answers.later(
                ctx,
                () -> reader.body(
                        ctx,
                        body -> body.length == 0
                                ? upstreams.pause(caller, ctx.pathParam("name"), paused)
                                // It would say something that has no effect.
                                : CompletableFuture.completedFuture(Reply.problem(
                                        400,
                                        "Bad Request",
                                        "expected no body, but there is one; nothing was changed"))),
                IF_IT_FAILS);
    }
}
