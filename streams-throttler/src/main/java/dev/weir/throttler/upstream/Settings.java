package dev.weir.throttler.upstream;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.throttler.quota.QuotaWindow;
import java.time.Duration;
import java.util.List;

/** What the throttle needs to know of an upstream: no address, no secret. */
public record Settings(
        String upstream,
        List<QuotaWindow> windows,
        int burst,
        int maxInFlight,
        Duration permitTtl,
        Duration timeout,
        List<Duration> retryDelays,
        CircuitBreakerSettings circuitBreaker) {
    public Settings {
        windows = List.copyOf(windows);
        retryDelays = List.copyOf(retryDelays);
    }

    public static Settings of(UpstreamConfig config) {
        return new Settings(
                config.name(),
                config.limits().stream()
                        .map(l -> new QuotaWindow(l.per(), l.permits(), l.budget(config.utilization())))
                        .toList(),
                config.burst(),
                config.maxInFlight(),
                config.permitTtl(),
                config.timeout(),
                config.retry().delays(),
                config.circuitBreaker());
    }

    /** No job can cost more. */
    public long smallestBudget() {
        return windows.stream().mapToLong(QuotaWindow::budget).min().orElseThrow();
    }
}
