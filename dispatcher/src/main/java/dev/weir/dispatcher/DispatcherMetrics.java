package dev.weir.dispatcher;

import dev.weir.contracts.wire.Outcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;

/** What the dispatcher measures, by upstream. Thread-safe. */
final class DispatcherMetrics {
    private static final Duration[] LATENESS_BUCKETS =
            millis(1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 200, 500, 1000, 2000, 3000, 5000);
    private static final Duration[] CALL_BUCKETS =
            millis(5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000);

    private final MeterRegistry registry;

    DispatcherMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Makes an upstream's meters visible before its first call. */
    void upstream(String upstream) {
        lateness(upstream);
        callSeconds(upstream);
        returned(upstream);
    }

    void started(String upstream, Duration lateness) {
        lateness(upstream).record(lateness);
    }

    void ended(Outcome outcome) {
        Counter.builder("weir_calls_total")
                .description("Permits by what became of them: answered, failed, returned, refused")
                .tag("upstream", outcome.upstream())
                .tag("outcome", outcome.kind().name().toLowerCase(Locale.ROOT))
                .register(registry)
                .increment();
        if (outcome.kind() == Outcome.Kind.RETURNED) {
            returned(outcome.upstream()).increment();
        }
        if (outcome.startedAt() != null) {
            callSeconds(outcome.upstream()).record(Duration.between(outcome.startedAt(), outcome.endedAt()));
        }
    }

    private Counter returned(String upstream) {
        return Counter.builder("weir_permits_returned_total")
                .description("Permits handed back unused, their cost with them")
                .tag("upstream", upstream)
                .register(registry);
    }

    private Timer lateness(String upstream) {
        return Timer.builder("weir_call_lateness")
                .description("Start of the call less the permit's slot")
                .tag("upstream", upstream)
                .serviceLevelObjectives(LATENESS_BUCKETS)
                .register(registry);
    }

    private Timer callSeconds(String upstream) {
        return Timer.builder("weir_call")
                .description("From the start of the call to the end of its answer, or its failure")
                .tag("upstream", upstream)
                .serviceLevelObjectives(CALL_BUCKETS)
                .register(registry);
    }

    private static Duration[] millis(long... bounds) {
        return Arrays.stream(bounds).mapToObj(Duration::ofMillis).toArray(Duration[]::new);
    }
}
