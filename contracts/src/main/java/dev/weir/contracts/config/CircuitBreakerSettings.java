package dev.weir.contracts.config;

import java.time.Duration;

/**
 * @param failures so many failed calls in a row open the circuit
 * @param open how long it stays open before probes go out
 * @param probes so many probes must succeed to close it
 */
public record CircuitBreakerSettings(int failures, Duration open, int probes) {
    public static final CircuitBreakerSettings DEFAULT = new CircuitBreakerSettings(5, Duration.ofSeconds(30), 3);

    public CircuitBreakerSettings {
        if (failures < 1 || failures > 1_000_000) {
            throw ConfigException.at("failures", "expected 1 to 1000000, but it is " + failures);
        }
        if (open.compareTo(Duration.ofMillis(100)) < 0 || open.compareTo(Duration.ofDays(1)) > 0) {
            throw ConfigException.at("open", "expected 100ms to 1d, but it is " + open);
        }
        if (probes < 1 || probes > 1000) {
            throw ConfigException.at("probes", "expected 1 to 1000, but it is " + probes);
        }
    }
}
