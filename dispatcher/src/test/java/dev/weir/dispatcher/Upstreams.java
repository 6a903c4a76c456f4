package dev.weir.dispatcher;

import dev.weir.contracts.config.AuthSettings;
import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.RetrySettings;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Permit;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Configurations and permits for tests. */
final class Upstreams {
    static final String NAME = "counter";

    private Upstreams() {}

    static WeirConfig config(String baseUrl, int maxInFlight, @Nullable AuthSettings auth) {
        UpstreamConfig upstream = new UpstreamConfig(
                NAME,
                URI.create(baseUrl),
                new UpstreamSettings(
                        List.of(new Limit(1000, Duration.ofMinutes(1))),
                        UpstreamSettings.DEFAULT_UTILIZATION,
                        UpstreamSettings.DEFAULT_BURST,
                        maxInFlight,
                        UpstreamSettings.DEFAULT_PERMIT_TTL,
                        UpstreamSettings.DEFAULT_TIMEOUT,
                        RetrySettings.DEFAULT,
                        CircuitBreakerSettings.DEFAULT,
                        Weights.DEFAULT),
                auth);
        return new WeirConfig(Map.of(NAME, upstream), WeirConfig.DEFAULT_MAX_BODY_BYTES);
    }

    static Call call(String method, String path, @Nullable String body) {
        return new Call(method, path, Map.of(), body, null);
    }

    static Permit permit(Call call, Instant slot, Duration ttl, Duration timeout) {
        return new Permit(
                Permit.VERSION,
                "0192f0c8-0000-7000-8000-000000000001",
                "local",
                NAME,
                7,
                slot,
                slot.plus(ttl),
                2,
                timeout.toMillis(),
                call,
                null);
    }
}
