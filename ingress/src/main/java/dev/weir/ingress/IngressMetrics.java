package dev.weir.ingress;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

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
    /** By status and by upstream: found here without the work of making a meter's name and tags for each answer. */
    private final Map<Integer, Counter> answers = new ConcurrentHashMap<>();

    private final Map<Integer, Counter> lines = new ConcurrentHashMap<>();
    private final Map<String, Counter> accepted = new ConcurrentHashMap<>();

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
        count(answers, status, "weir.ingress.requests", "status");
    }

    /** A line of a batch. */
    void line(int status) {
        count(lines, status, "weir.ingress.batch.lines", "status");
    }

    /** A submission's answer is known, whenever it is written. */
    void submitted(Timer.Sample sample, int status) {
        if (status == 202) {
            sample.stop(accept);
        }
    }

    /** @param upstream one that is configured */
    void accepted(String upstream) {
        count(accepted, upstream, "weir.jobs.accepted", "upstream");
    }

    private <K> void count(Map<K, Counter> counters, K key, String name, String tag) {
        counters.computeIfAbsent(key, absent -> registry.counter(name, tag, absent.toString()))
                .increment();
    }
}
