package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.access.Caller;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.UpstreamRecord;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The GETs of the status service. Nothing here blocks a thread of the server. */
final class StatusRoutes {
    private final Upstreams upstreams;
    private final JobFinder jobs;
    private final JobViews views;
    private final CompactedTopic<Forecast> forecasts;
    private final InstantSource clock;

    StatusRoutes(
            Upstreams upstreams,
            JobFinder jobs,
            JobViews views,
            CompactedTopic<Forecast> forecasts,
            InstantSource clock) {
        this.upstreams = upstreams;
        this.jobs = jobs;
        this.views = views;
        this.forecasts = forecasts;
        this.clock = clock;
    }

    void register(RoutesConfig routes) {
        routes.get("/v1/jobs/{id}", this::job);
        routes.get("/v1/upstreams", this::upstreams);
        routes.get("/v1/upstreams/{name}", this::upstream);
        routes.get("/v1/upstreams/{name}/forecast", this::forecast);
    }

    private void job(Context ctx) {
        String id = ctx.pathParam("id");
        Caller caller = Caller.of(ctx);
        Answers.later(
                ctx,
                () -> jobs.job(id).thenCompose(found -> {
                    JobEvent job = found.job();
                    if (job == null || !caller.sees(job.tenant())) {
                        Answers.noJob(ctx, id);
                        return CompletableFuture.completedFuture(null);
                    }
                    return views.results().of(job).thenAccept(result -> answer(ctx, job, result, found.asOf()));
                }));
    }

    private void answer(Context ctx, JobEvent job, JobResults.Found result, @Nullable Instant asOf) {
        Answers.age(ctx, asOf, clock.instant());
        Answers.json(ctx, views.of(job, result, asOf));
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
        Answers.json(ctx, new Listed(views));
    }

    private void upstream(Context ctx) {
        String name = ctx.pathParam("name");
        UpstreamView view = view(name);
        if (view == null) {
            noUpstream(ctx, name);
        } else {
            Answers.json(ctx, view.to(Caller.of(ctx)));
        }
    }

    /** What every time that Weir tells of this upstream is reckoned from. */
    private void forecast(Context ctx) {
        String name = ctx.pathParam("name");
        Forecast forecast = forecasts.of(name);
        if (forecast != null && view(name) != null) {
            Answers.json(ctx, forecast);
        } else if (upstreams.of(name) == null) {
            noUpstream(ctx, name);
        } else {
            Answers.unavailable(ctx, "the throttle has told nothing of " + Answers.shown(name) + " yet; ask again");
        }
    }

    private static void noUpstream(Context ctx, String name) {
        Answers.notFound(
                ctx, "no upstream " + Answers.shown(name) + " is configured; GET /v1/upstreams lists those that are");
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
}
