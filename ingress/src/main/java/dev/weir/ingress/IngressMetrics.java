package dev.weir.ingress;

import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;

/** What the ingress counts. Thread-safe. */
final class IngressMetrics {
    private static final Duration[] BUCKETS = {
        Duration.ofMillis(1),
        Duration.ofMillis(2),
        Duration.ofMillis(5),
        Duration.ofMillis(10),
        Duration.ofMillis(20),
        Duration.ofMillis(50),
        Duration.ofMillis(100),
        Duration.ofMillis(200),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofSeconds(2),
        Duration.ofSeconds(5),
        Duration.ofSeconds(10)
    };

    private final PrometheusMeterRegistry registry;
    private final Timer accept;

    IngressMetrics(PrometheusMeterRegistry registry) {
        this.registry = registry;
        this.accept = Timer.builder("weir.ingress.accept")
                .description("from the request's start until its 202 is ready")
                .serviceLevelObjectives(BUCKETS)
                .register(registry);
    }

    Timer.Sample start() {
        return Timer.start(registry);
    }

    void answered(int status) {
        registry.counter("weir.ingress.requests", "status", Integer.toString(status))
                .increment();
    }

    /** A line of a batch. */
    void line(int status) {
        registry.counter("weir.ingress.batch.lines", "status", Integer.toString(status))
                .increment();
    }

    /** A submission's answer is known, whenever it is written. */
    void submitted(Timer.Sample sample, int status) {
        if (status == 202) {
            sample.stop(accept);
        }
    }

    void accepted(String upstream) {
        registry.counter("weir.jobs.accepted", "upstream", upstream).increment();
    }
}
