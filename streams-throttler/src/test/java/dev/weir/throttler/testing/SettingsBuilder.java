package dev.weir.throttler.testing;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.RetrySettings;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.wire.Priority;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** An upstream's settings: some, and all else as it was. Not thread-safe. */
public final class SettingsBuilder {
    private List<Limit> limits;
    private BigDecimal utilization;
    private int burst;
    private int maxInFlight;
    private Duration permitTtl;
    private Duration timeout;
    private RetrySettings retry;
    private CircuitBreakerSettings circuitBreaker;
    private Weights weights;

    private SettingsBuilder(UpstreamSettings from) {
        limits = from.limits();
        utilization = from.utilization();
        burst = from.burst();
        maxInFlight = from.maxInFlight();
        permitTtl = from.permitTtl();
        timeout = from.timeout();
        retry = from.retry();
        circuitBreaker = from.circuitBreaker();
        weights = from.weights();
    }

    /** Begins with these limits and the configuration's defaults. */
    public static SettingsBuilder withLimits(Limit... limits) {
        return from(UpstreamSettings.of(limits));
    }

    public static SettingsBuilder from(UpstreamSettings settings) {
        return new SettingsBuilder(settings);
    }

    public SettingsBuilder limits(Limit... allOfThem) {
        limits = List.of(allOfThem);
        return this;
    }

    /** How much of each limit is used, such as {@code "0.9"}. */
    public SettingsBuilder utilization(String share) {
        utilization = new BigDecimal(share);
        return this;
    }

    public SettingsBuilder burst(int permits) {
        burst = permits;
        return this;
    }

    public SettingsBuilder maxInFlight(int calls) {
        maxInFlight = calls;
        return this;
    }

    public SettingsBuilder permitTtl(Duration ttl) {
        permitTtl = ttl;
        return this;
    }

    public SettingsBuilder timeout(Duration ofACall) {
        timeout = ofACall;
        return this;
    }

    /** The retry schedule; with none at all, a job's first failure is its end. */
    public SettingsBuilder retries(Duration... delays) {
        retry = new RetrySettings(List.of(delays));
        return this;
    }

    public SettingsBuilder circuitBreaker(int failures, Duration open, int probes) {
        circuitBreaker = new CircuitBreakerSettings(failures, open, probes);
        return this;
    }

    public SettingsBuilder tenantWeight(String tenant, int weight) {
        Map<String, Integer> tenants = new TreeMap<>(weights.tenants());
        tenants.put(tenant, weight);
        weights = new Weights(tenants, weights.priorities());
        return this;
    }

    /** Of {@link Priority}'s three. */
    public SettingsBuilder priorityWeights(int high, int normal, int low) {
        weights = new Weights(weights.tenants(), new Weights.Priorities(high, normal, low));
        return this;
    }

    public UpstreamSettings build() {
        return new UpstreamSettings(
                limits, utilization, burst, maxInFlight, permitTtl, timeout, retry, circuitBreaker, weights);
    }
}
