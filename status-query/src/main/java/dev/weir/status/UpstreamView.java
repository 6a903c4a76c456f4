package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.wire.Forecast;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An upstream as {@code GET /v1/upstreams/{name}} tells it. */
@JsonInclude(JsonInclude.Include.ALWAYS)
record UpstreamView(
        String name, String state, @Nullable String heldBy, List<Window> windows, Queue queue, String circuit) {
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

    static UpstreamView of(UpstreamConfig upstream, @Nullable Forecast forecast, Instant now) {
        return forecast == null ? unused(upstream) : told(upstream.name(), forecast, now);
    }

    private static UpstreamView told(String name, Forecast forecast, Instant now) {
        Forecast.Queue queue = forecast.queue();
        return new UpstreamView(
                name,
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
                forecast.circuit());
    }

    /** The throttle has told nothing of it yet: no job has come. */
    private static UpstreamView unused(UpstreamConfig upstream) {
        return new UpstreamView(
                upstream.name(),
                "running",
                null,
                upstream.settings().limits().stream()
                        .map(limit -> {
                            long budget = limit.budget(upstream.settings().utilization());
                            return new Window(limit.per(), limit.permits(), budget, 0, budget, null);
                        })
                        .toList(),
                new Queue(0, 0, 0, 0, null, null),
                "closed");
    }

    private static @Nullable Instant future(@Nullable Instant instant, Instant now) {
        return instant != null && instant.isAfter(now) ? instant : null;
    }
}
