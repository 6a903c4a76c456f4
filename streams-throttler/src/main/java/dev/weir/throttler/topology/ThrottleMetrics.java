package dev.weir.throttler.topology;

import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobStatus;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The throttle's own metrics; the gauges show each upstream's newest forecast. Thread-safe. */
public final class ThrottleMetrics {
    private static final List<String> CIRCUIT_STATES = List.of("closed", "open", "half-open");

    private final MeterRegistry registry;
    private final Map<String, Counter> released = new ConcurrentHashMap<>();
    private final Map<FinishedAs, Counter> finished = new ConcurrentHashMap<>();
    private final Map<String, Forecast> newest = new ConcurrentHashMap<>();
    /** Those that have gauges: a window may be added while Weir runs. */
    private final Set<WindowOf> windows = ConcurrentHashMap.newKeySet();

    private record FinishedAs(String upstream, JobStatus status) {}

    private record WindowOf(String upstream, Duration per) {}

    public ThrottleMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    void released(String upstream) {
        released.computeIfAbsent(upstream, name -> registry.counter("weir.released", "upstream", name))
                .increment();
    }

    void finished(String upstream, JobStatus status) {
        finished.computeIfAbsent(
                        new FinishedAs(upstream, status),
                        as -> registry.counter(
                                "weir.jobs.finished",
                                "upstream",
                                upstream,
                                "status",
                                status.name().toLowerCase(Locale.ROOT)))
                .increment();
    }

    void poisoned(String topic) {
        registry.counter("weir.records.unreadable", "topic", topic).increment();
    }

    void forecast(Forecast forecast) {
        if (newest.put(forecast.upstream(), forecast) == null) {
            register(forecast.upstream());
        }
        for (Forecast.Window window : forecast.windows()) {
            if (windows.add(new WindowOf(forecast.upstream(), window.per()))) {
                register(forecast.upstream(), window.per().toString());
            }
        }
    }

    private void register(String upstream, String per) {
        gauge("weir.window.used", upstream, "window", per, f -> windowOf(f, per).used());
        gauge(
                "weir.window.budget",
                upstream,
                "window",
                per,
                f -> windowOf(f, per).budget());
    }

    private void register(String upstream) {
        gauge("weir.queue.jobs", upstream, "state", "waiting", f -> f.queue().waiting());
        gauge("weir.queue.jobs", upstream, "state", "scheduled", f -> f.queue().scheduled());
        gauge("weir.queue.jobs", upstream, "state", "retrying", f -> f.queue().retrying());
        gauge("weir.queue.jobs", upstream, "state", "in-flight", f -> f.queue().inFlight());
        for (String state : CIRCUIT_STATES) {
            gauge(
                    "weir.circuit.state",
                    upstream,
                    "state",
                    state,
                    f -> f.circuit().equals(state) ? 1 : 0);
        }
    }

    private void gauge(String name, String upstream, String tag, String value, ToDoubleFunction<Forecast> of) {
        Gauge.builder(name, newest, all -> {
                    @Nullable Forecast forecast = all.get(upstream);
                    return forecast == null ? Double.NaN : of.applyAsDouble(forecast);
                })
                .tags("upstream", upstream, tag, value)
                .register(registry);
    }

    private static Forecast.Window windowOf(Forecast forecast, String per) {
        for (Forecast.Window window : forecast.windows()) {
            if (window.per().toString().equals(per)) {
                return window;
            }
        }
        return new Forecast.Window(Duration.ZERO, 0, 0, 0, null);
    }
}
