package dev.weir.status;

import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;

/** What an instance answers the others and the ingress. It never asks on: each question takes one hop at most. */
final class InternalRoutes {
    private final JobFinder jobs;

    InternalRoutes(JobFinder jobs) {
        this.jobs = jobs;
    }

    void register(RoutesConfig routes) {
        routes.get(Peers.PATH + "/jobs/{id}", this::job);
        routes.get("/internal/known-jobs/{id}", this::knownJob);
    }

    private void job(Context ctx) {
        Answers.later(ctx, () -> jobs.jobHere(ctx.pathParam("id")).thenAccept(found -> Answers.json(ctx, found)));
    }

    private void knownJob(Context ctx) {
        String id = ctx.pathParam("id");
        Answers.later(
                ctx,
                () -> jobs.find(id).thenAccept(known -> {
                    if (known == null) {
                        Answers.notFound(ctx, "no job " + Answers.shown(id) + " is known");
                    } else {
                        Answers.json(ctx, known);
                    }
                }));
    }
}
