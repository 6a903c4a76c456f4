package dev.weir.throttler.testing;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.RetrySettings;
import dev.weir.contracts.config.UpstreamConfig;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** An upstream's settings: the configuration's defaults, unless said otherwise; its limits must be. Not thread-safe. */
public final class UpstreamBuilder {
    private static final URI NOWHERE = URI.create("http://127.0.0.1:1");

    private final String name;
    private final List<Limit> limits = new ArrayList<>();
    private BigDecimal utilization = UpstreamConfig.DEFAULT_UTILIZATION;
    private int burst = UpstreamConfig.DEFAULT_BURST;
    private int maxInFlight = UpstreamConfig.DEFAULT_MAX_IN_FLIGHT;
    private Duration permitTtl = UpstreamConfig.DEFAULT_PERMIT_TTL;
    private Duration timeout = UpstreamConfig.DEFAULT_TIMEOUT;
    private RetrySettings retry = RetrySettings.DEFAULT;
    private CircuitBreakerSettings circuitBreaker = CircuitBreakerSettings.DEFAULT;

    private UpstreamBuilder(String name) {
        this.name = name;
    }

    public static UpstreamBuilder named(String name) {
        return new UpstreamBuilder(name);
    }

    /** One more limit of the provider's. */
    public UpstreamBuilder limit(long permits, Duration per) {
        limits.add(new Limit(permits, per));
        return this;
    }

    /** How much of each limit is used, such as {@code "0.9"}. */
    public UpstreamBuilder utilization(String share) {
        utilization = new BigDecimal(share);
        return this;
    }

    public UpstreamBuilder burst(int permits) {
        burst = permits;
        return this;
    }

    public UpstreamBuilder maxInFlight(int calls) {
        maxInFlight = calls;
        return this;
    }

    public UpstreamBuilder permitTtl(Duration ttl) {
        permitTtl = ttl;
        return this;
    }

    public UpstreamBuilder timeout(Duration ofACall) {
        timeout = ofACall;
        return this;
    }

    /** The retry schedule; none at all is a job's end at its first failure. */
    public UpstreamBuilder retries(Duration... delays) {
        retry = new RetrySettings(List.of(delays));
        return this;
    }

    public UpstreamBuilder circuitBreaker(int failures, Duration open, int probes) {
        circuitBreaker = new CircuitBreakerSettings(failures, open, probes);
        return this;
    }

    public UpstreamConfig build() {
        return new UpstreamConfig(
                name,
                NOWHERE,
                limits,
                utilization,
                burst,
                maxInFlight,
                permitTtl,
                timeout,
                retry,
                circuitBreaker,
                null);
    }
}
