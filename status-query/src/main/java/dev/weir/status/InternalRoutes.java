package dev.weir.status;

import dev.weir.contracts.http.Problem;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.status.usage.Grain;
import dev.weir.status.usage.UsageStore;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What an instance answers the others and the ingress. It never asks on: each question takes one hop at most. */
final class InternalRoutes {
    /** Of one question for a job's end, below the time after which the server gives an answer up. */
    static final Duration LONGEST_WAIT = Duration.ofSeconds(60);

    private final JobFinder jobs;
    private final JobEnds ends;
    private final EveryPartition everywhere;
    private final JobLists lists;
    private final UsageRoutes usage;

    InternalRoutes(JobFinder jobs, JobEnds ends, EveryPartition everywhere, JobLists lists, UsageRoutes usage) {
        this.jobs = jobs;
        this.ends = ends;
        this.everywhere = everywhere;
        this.lists = lists;
        this.usage = usage;
    }

    void register(RoutesConfig routes) {
        routes.get(Peers.PATH + "/jobs/{id}", this::job);
        routes.get(Peers.PATH + "/list", this::list);
        routes.get(Peers.PATH + "/usage", this::usage);
        routes.get("/internal/known-jobs/{id}", this::knownJob);
        routes.get("/internal/finished-jobs/{id}", this::finishedJob);
    }

    private void job(Context ctx) {
        String id = ctx.pathParam("id");
        String seen = ctx.queryParam("seen");
        Answers.later(
                ctx,
                () -> (seen == null ? jobs.jobHere(id) : jobs.nextHere(id, Long.parseLong(seen)))
                        .thenAccept(found -> Answers.json(ctx, found)));
    }

    private void list(Context ctx) {
        ListFilter filter = new ListFilter(
                ctx.queryParam("tenant"),
                ListFilter.statuses(
                        texts(ctx, "status").stream().map(JobStatus::valueOf).toList()),
                ctx.queryParam("upstream"),
                number(ctx, "from"),
                number(ctx, "to"));
        String afterId = ctx.queryParam("afterId");
        Listing.@Nullable Place after = afterId == null ? null : new Listing.Place(number(ctx, "afterMs"), afterId);
        int limit = (int) number(ctx, "limit");
        share(ctx, everywhere.share(partitions(ctx), partition -> lists.scan(partition, filter, after, limit)));
    }

    private void usage(Context ctx) {
        UsageStore.Question question = new UsageStore.Question(
                Grain.valueOf(text(ctx, "grain")),
                Instant.parse(text(ctx, "from")),
                Instant.parse(text(ctx, "to")),
                Duration.parse(text(ctx, "step")),
                ctx.queryParam("tenant"),
                ctx.queryParam("upstream"));
        share(ctx, usage.share(partitions(ctx), question));
    }

    private static void share(Context ctx, CompletableFuture<EveryPartition.Share> share) {
        Answers.later(ctx, () -> share.thenAccept(found -> Answers.json(ctx, found)));
    }

    private static List<Integer> partitions(Context ctx) {
        return texts(ctx, "partitions").stream().map(Integer::valueOf).toList();
    }

    private static List<String> texts(Context ctx, String name) {
        String text = text(ctx, name);
        return text.isEmpty() ? List.of() : Arrays.asList(text.split(",", -1));
    }

    private static long number(Context ctx, String name) {
        return Long.parseLong(text(ctx, name));
    }

    private static String text(Context ctx, String name) {
        String text = ctx.queryParam(name);
        if (text == null) {
            throw new IllegalArgumentException(
                    "the parameter " + name + " is missing: is the other instance of this version?");
        }
        return text;
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
