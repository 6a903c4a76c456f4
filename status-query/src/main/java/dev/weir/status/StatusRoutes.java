package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.access.Caller;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.UpstreamRecord;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The GETs of the status service. Nothing here blocks a thread of the server. */
final class StatusRoutes {
    private static final Logger LOG = LoggerFactory.getLogger(StatusRoutes.class);
    private static final long RETRY_AFTER_SECONDS = 1;

    private final Upstreams upstreams;
    private final JobLookup jobs;
    private final JobResults results;
    private final Waits waits;
    private final CompactedTopic<Forecast> forecasts;
    private final InstantSource clock;

    StatusRoutes(
            Upstreams upstreams,
            JobLookup jobs,
            JobResults results,
            Waits waits,
            CompactedTopic<Forecast> forecasts,
            InstantSource clock) {
        this.upstreams = upstreams;
        this.jobs = jobs;
        this.results = results;
        this.waits = waits;
        this.forecasts = forecasts;
        this.clock = clock;
    }

    void register(RoutesConfig routes) {
        routes.get("/v1/jobs/{id}", this::job);
        routes.get("/v1/upstreams", this::upstreams);
        routes.get("/v1/upstreams/{name}", this::upstream);
        routes.get("/v1/upstreams/{name}/forecast", this::forecast);
        routes.get("/internal/known-jobs/{id}", this::knownJob);
    }

    private void job(Context ctx) {
        String id = ctx.pathParam("id");
        Caller caller = Caller.of(ctx);
        answer(
                ctx,
                () -> jobs.job(id).thenCompose(job -> {
                    if (job == null || !caller.sees(job.tenant())) {
                        notFound(
                                ctx,
                                "no job " + shown(id) + " is known; finished jobs are forgotten after "
                                        + StatusTopology.KEEP_FINISHED.toDays() + " days");
                        return CompletableFuture.completedFuture(null);
                    }
                    return results.of(job).thenAccept(found -> json(ctx, view(job, found)));
                }));
    }

    private JobView view(JobEvent job, JobResults.Found found) {
        return new JobView(
                job.id(),
                job.tenant(),
                job.upstream(),
                job.status(),
                job.attempts(),
                job.acceptedAt(),
                job.updatedAt(),
                waits.position(job),
                waits.eta(job),
                job.finishedAt(),
                job.error(),
                found.result(),
                found.pending() ? Boolean.TRUE : null);
    }

    private void knownJob(Context ctx) {
        String id = ctx.pathParam("id");
        answer(
                ctx,
                () -> jobs.find(id).thenAccept(known -> {
                    if (known == null) {
                        notFound(ctx, "no job " + shown(id) + " is known");
                    } else {
                        json(ctx, known);
                    }
                }));
    }

    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record Listed(List<UpstreamView> upstreams) {}

    private void upstreams(Context ctx) {
        Caller caller = Caller.of(ctx);
        List<UpstreamView> views = Stream.concat(upstreams.names().stream(), forecasts.all().keySet().stream())
                .distinct()
                .map(this::view)
                .filter(Objects::nonNull)
                .map(view -> view.to(caller))
                .toList();
        json(ctx, new Listed(views));
    }

    private void upstream(Context ctx) {
        String name = ctx.pathParam("name");
        UpstreamView view = view(name);
        if (view == null) {
            noUpstream(ctx, name);
        } else {
            json(ctx, view.to(Caller.of(ctx)));
        }
    }

    /** What every time that Weir tells of this upstream is reckoned from. */
    private void forecast(Context ctx) {
        String name = ctx.pathParam("name");
        Forecast forecast = forecasts.of(name);
        if (forecast != null && view(name) != null) {
            json(ctx, forecast);
        } else if (upstreams.of(name) == null) {
            noUpstream(ctx, name);
        } else {
            Problem.of(
                            503,
                            "Service Unavailable",
                            "the throttle has told nothing of " + shown(name) + " yet; ask again")
                    .write(ctx, RETRY_AFTER_SECONDS);
        }
    }

    private static void noUpstream(Context ctx, String name) {
        notFound(ctx, "no upstream " + shown(name) + " is configured; GET /v1/upstreams lists those that are");
    }

    /** An upstream that is configured, or was and still has jobs; null for any other. */
    private @Nullable UpstreamView view(String name) {
        UpstreamConfig upstream = upstreams.of(name);
        Forecast forecast = forecasts.of(name);
        if (upstream == null) {
            return forecast == null || !hasJobs(forecast.queue())
                    ? null
                    : UpstreamView.of(forecast, null, clock.instant());
        }
        if (forecast == null) {
            UpstreamRecord record = upstreams.record(name);
            return UpstreamView.unused(upstream, record != null && record.paused());
        }
        return UpstreamView.of(forecast, upstream.settings(), clock.instant());
    }

    private static boolean hasJobs(Forecast.Queue queue) {
        return queue.waiting() + queue.scheduled() + queue.retrying() + queue.inFlight() > 0;
    }

    private interface Asynchronous {
        CompletableFuture<@Nullable Void> start();
    }

    private static void answer(Context ctx, Asynchronous work) {
        ctx.future(() -> work.start().exceptionally(failure -> {
            failed(ctx, failure);
            return null;
        }));
    }

    private static void failed(Context ctx, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof StatusUnavailableException) {
            Problem.of(503, "Service Unavailable", String.valueOf(cause.getMessage()))
                    .write(ctx, RETRY_AFTER_SECONDS);
            return;
        }
        LOG.error("GET {} failed; answered 500", ctx.path(), cause);
        Problem.of(500, "Internal Server Error", "Weir failed to answer; its log says why")
                .write(ctx);
    }

    private static void notFound(Context ctx, String detail) {
        Problem.of(404, "Not Found", detail).write(ctx);
    }

    /** What a client wrote, as far as it is safe and short enough to be repeated. */
    private static String shown(String given) {
        String cleaned = given.replaceAll("[^A-Za-z0-9_.-]", "?");
        return cleaned.length() <= 64 ? cleaned : cleaned.substring(0, 64) + "…";
    }

    private static void json(Context ctx, Object body) {
        ctx.contentType("application/json").result(Json.bytes(body));
    }
}
