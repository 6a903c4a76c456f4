package dev.weir.throttler.upstream;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
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
        CircuitBreakerSettings circuitBreaker,
        Weights weights) {
    public Settings {
        windows = List.copyOf(windows);
        retryDelays = List.copyOf(retryDelays);
    }

    public static Settings of(String upstream, UpstreamSettings settings) {
        return new Settings(
                upstream,
                settings.limits().stream()
                        .map(l -> new QuotaWindow(l.per(), l.permits(), l.budget(settings.utilization())))
                        .toList(),
                settings.burst(),
                settings.maxInFlight(),
                settings.permitTtl(),
                settings.timeout(),
                settings.retry().delays(),
                settings.circuitBreaker(),
                settings.weights());
    }

    /** No job can cost more. */
    public long smallestBudget() {
        long smallest = Long.MAX_VALUE;
        for (QuotaWindow window : windows) {
            smallest = Math.min(smallest, window.budget());
        }
        return smallest;
    }
}
