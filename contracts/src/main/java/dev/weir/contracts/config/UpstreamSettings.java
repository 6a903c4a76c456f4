package dev.weir.contracts.config;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The pace that an upstream allows and how Weir keeps to it: all of an upstream that can change while Weir runs. Every limit
 * holds at once.
 *
 * @param limits the provider's own, at least one
 * @param utilization how much of each limit Weir uses, over 0 to 1
 * @param burst permits that it may fall behind and make up again
 * @param maxInFlight calls open at once, over all dispatchers
 * @param permitTtl a permit not used by slot + permitTtl is handed back, never used late
 * @param timeout of one whole call
 */
public record UpstreamSettings(
        List<Limit> limits,
        BigDecimal utilization,
        int burst,
        int maxInFlight,
        Duration permitTtl,
        Duration timeout,
        RetrySettings retry,
        CircuitBreakerSettings circuitBreaker,
        Weights weights) {
    public static final BigDecimal DEFAULT_UTILIZATION = new BigDecimal("0.9");
    public static final int DEFAULT_BURST = 15;
    public static final int DEFAULT_MAX_IN_FLIGHT = 300;
    public static final Duration DEFAULT_PERMIT_TTL = Duration.ofSeconds(3);
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
    /** Far more than make a difference; 1e-999999999 would be worked out digit by digit. */
    public static final int MOST_DECIMALS = 20;

    public static final int MOST_LIMITS = 8;
    public static final int MOST_BURST = 100_000;
    public static final int MOST_IN_FLIGHT = 20_000;

    public UpstreamSettings {
        limits = List.copyOf(limits);
        if (limits.isEmpty() || limits.size() > MOST_LIMITS) {
            throw ConfigException.at(
                    "limits", "expected 1 to " + MOST_LIMITS + " limits, but there are " + limits.size());
        }
        if (utilization.signum() <= 0 || utilization.compareTo(BigDecimal.ONE) > 0) {
            throw ConfigException.at("utilization", "expected more than 0, up to 1, but it is " + utilization);
        }
        // 0.90 and 0.9 are the same setting, and must not look like a change.
        utilization = utilization.stripTrailingZeros();
        if (utilization.scale() > MOST_DECIMALS) {
            throw ConfigException.at("utilization", "expected at most " + MOST_DECIMALS + " decimals");
        }
        Set<Duration> seen = new HashSet<>();
        for (Limit limit : limits) {
            if (limit.budget(utilization) < 1) {
                throw ConfigException.at(
                        "limits",
                        limit.permits() + " per " + limit.per() + " at utilization " + utilization
                                + " leaves no permit at all; raise the utilization");
            }
            if (!seen.add(limit.per())) {
                throw ConfigException.at(
                        "limits", "expected one limit for each window, but " + limit.per() + " is there twice");
            }
        }
        if (burst < 0 || burst > MOST_BURST) {
            throw ConfigException.at("burst", "expected 0 to " + MOST_BURST + ", but it is " + burst);
        }
        if (maxInFlight < 1 || maxInFlight > MOST_IN_FLIGHT) {
            throw ConfigException.at("maxInFlight", "expected 1 to " + MOST_IN_FLIGHT + ", but it is " + maxInFlight);
        }
        if (permitTtl.compareTo(Duration.ofMillis(100)) < 0 || permitTtl.compareTo(Duration.ofMinutes(10)) > 0) {
            throw ConfigException.at("permitTtl", "expected 100ms to 10m, but it is " + permitTtl);
        }
        if (timeout.compareTo(Duration.ofMillis(100)) < 0 || timeout.compareTo(Duration.ofHours(1)) > 0) {
            throw ConfigException.at("timeout", "expected 100ms to 1h, but it is " + timeout);
        }
    }

    /** These limits, and the defaults for all else. */
    public static UpstreamSettings of(Limit... limits) {
        return new UpstreamSettings(
                List.of(limits),
                DEFAULT_UTILIZATION,
                DEFAULT_BURST,
                DEFAULT_MAX_IN_FLIGHT,
                DEFAULT_PERMIT_TTL,
                DEFAULT_TIMEOUT,
                RetrySettings.DEFAULT,
                CircuitBreakerSettings.DEFAULT,
                Weights.DEFAULT);
    }

    /** The same with other weights. */
    public UpstreamSettings with(Weights other) {
        return new UpstreamSettings(
                limits, utilization, burst, maxInFlight, permitTtl, timeout, retry, circuitBreaker, other);
    }

    /** What is different in the other settings, for a person: each key with its value here and there. */
    public String changesTo(UpstreamSettings other) {
        JsonNode to = Json.MAPPER.valueToTree(other);
        JsonNode from = Json.MAPPER.valueToTree(this);
        return from.properties().stream()
                .filter(key -> !key.getValue().equals(to.path(key.getKey())))
                .map(key -> key.getKey() + " " + key.getValue() + " -> " + to.path(key.getKey()))
                .collect(Collectors.joining(", "));
    }

    /** The smallest budget of all windows: what a single job may cost at most. */
    public long smallestBudget() {
        return limits.stream().mapToLong(l -> l.budget(utilization)).min().orElseThrow();
    }
}
