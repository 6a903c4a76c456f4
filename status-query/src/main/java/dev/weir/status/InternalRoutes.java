package dev.weir.status;

import dev.weir.contracts.http.Problem;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.Duration;

/** What an instance answers the others and the ingress. It never asks on: each question takes one hop at most. */
final class InternalRoutes {
    /** Of one question for a job's end, below the time after which the server gives an answer up. */
    static final Duration LONGEST_WAIT = Duration.ofSeconds(60);

    private final JobFinder jobs;
    private final JobEnds ends;

    InternalRoutes(JobFinder jobs, JobEnds ends) {
        this.jobs = jobs;
        this.ends = ends;
    }

    void register(RoutesConfig routes) {
        routes.get(Peers.PATH + "/jobs/{id}", this::job);
        routes.get("/internal/known-jobs/{id}", this::knownJob);
        routes.get("/internal/finished-jobs/{id}", this::finishedJob);
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

    /** For an ingress whose client waits: 200 with the finished job, 204 when it has not ended in time. */
    private void finishedJob(Context ctx) {
        String waitMs = ctx.queryParam("waitMs");
        if (waitMs == null || !waitMs.matches("[0-9]{1,9}") || Long.parseLong(waitMs) > LONGEST_WAIT.toMillis()) {
            Problem.of(400, "Bad Request", "expected waitMs, from 0 to " + LONGEST_WAIT.toMillis())
                    .write(ctx);
            return;
        }
        Duration patience = Duration.ofMillis(Long.parseLong(waitMs));
        Answers.later(
                ctx,
                () -> ends.within(ctx.pathParam("id"), patience).thenAccept(job -> {
                    if (job == null) {
                        ctx.status(204);
                    } else {
                        ctx.contentType("application/json").result(job);
                    }
                }));
    }
}
