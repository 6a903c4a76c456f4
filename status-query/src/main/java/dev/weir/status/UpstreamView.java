package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.access.Caller;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.wire.Forecast;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An upstream as {@code GET /v1/upstreams/{name}} tells it.
 *
 * @param removed it is configured no more; its jobs are kept, and not called
 * @param revision of the settings that the throttle has taken up
 * @param settings in force, under the names of the configuration file; null once it is removed
 */
@JsonInclude(JsonInclude.Include.ALWAYS)
record UpstreamView(
        String name,
        String state,
        @Nullable String heldBy,
        List<Window> windows,
        Queue queue,
        String circuit,
        boolean removed,
        long revision,
        @Nullable UpstreamSettings settings) {
    /** One window of the quota; {@code used} counts permits given a little ahead too. */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    record Window(
            Duration per,
            long limit,
            long budget,
            long used,
            long remaining,
            @Nullable Instant fullUntil) {}

    @JsonInclude(JsonInclude.Include.ALWAYS)
    record Queue(
            long waiting,
            long scheduled,
            long retrying,
            long inFlight,
            @Nullable Instant oldestAcceptedAt,
            @Nullable Instant drainedAt) {}

    /** @param settings in force; null when it is configured no more */
    static UpstreamView of(Forecast forecast, @Nullable UpstreamSettings settings, Instant now) {
        Forecast.Queue queue = forecast.queue();
        return new UpstreamView(
                forecast.upstream(),
                forecast.state(),
                forecast.heldBy(),
                forecast.windows().stream()
                        .map(window -> new Window(
                                window.per(),
                                window.limit(),
                                window.budget(),
                                window.used(),
                                Math.max(0, window.budget() - window.used()),
                                future(window.fullUntil(), now)))
                        .toList(),
                new Queue(
                        queue.waiting(),
                        queue.scheduled(),
                        queue.retrying(),
                        queue.inFlight(),
                        queue.oldestAcceptedAt(),
                        queue.drainedAt()),
                forecast.circuit(),
                forecast.removed(),
                forecast.revision(),
                settings);
    }

    /** The throttle has told nothing of it yet: no job has come. */
    static UpstreamView unused(UpstreamConfig upstream, boolean paused) {
        UpstreamSettings settings = upstream.settings();
        return new UpstreamView(
                upstream.name(),
                paused ? Forecast.PAUSED : "running",
                null,
                settings.limits().stream()
                        .map(limit -> {
                            long budget = limit.budget(settings.utilization());
                            return new Window(limit.per(), limit.permits(), budget, 0, budget, null);
                        })
                        .toList(),
                new Queue(0, 0, 0, 0, null, null),
                "closed",
                false,
                0,
                settings);
    }

    /** What a caller may see of it: weights name tenants. */
    UpstreamView to(Caller caller) {
        if (settings == null || caller.seesAll()) {
            return this;
        }
        Weights own = settings.weights().without(tenant -> !caller.sees(tenant));
        return new UpstreamView(name, state, heldBy, windows, queue, circuit, removed, revision, settings.with(own));
    }

    private static @Nullable Instant future(@Nullable Instant instant, Instant now) {
        return instant != null && instant.isAfter(now) ? instant : null;
    }
}
