package dev.weir.dispatcher;

import dev.weir.contracts.wire.Outcome;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Duration;
import java.util.Locale;

/** What the dispatcher measures, by upstream. Summaries, not timers: those would name their unit twice. Thread-safe. */
final class DispatcherMetrics {
    private static final double NANOS_PER_SECOND = 1e9;
    private static final double[] LATENESS_BUCKETS = {
        0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 3, 5
    };
    private static final double[] CALL_BUCKETS = {
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300
    };

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
        lateness(upstream).record(lateness.toNanos() / NANOS_PER_SECOND);
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
            callSeconds(outcome.upstream())
                    .record(Duration.between(outcome.startedAt(), outcome.endedAt())
                                    .toNanos()
                            / NANOS_PER_SECOND);
        }
    }

    private Counter returned(String upstream) {
        return Counter.builder("weir_permits_returned_total")
                .description("Permits handed back unused, their cost with them")
                .tag("upstream", upstream)
                .register(registry);
    }

    private DistributionSummary lateness(String upstream) {
        return DistributionSummary.builder("weir_call_lateness_seconds")
                .description("Start of the call less the permit's slot")
                .tag("upstream", upstream)
                .serviceLevelObjectives(LATENESS_BUCKETS)
                .minimumExpectedValue(LATENESS_BUCKETS[0])
                .register(registry);
    }

    private DistributionSummary callSeconds(String upstream) {
        return DistributionSummary.builder("weir_call_seconds")
                .description("From the start of the call to the end of its answer, or its failure")
                .tag("upstream", upstream)
                .serviceLevelObjectives(CALL_BUCKETS)
                .minimumExpectedValue(CALL_BUCKETS[0])
                .register(registry);
    }
}
