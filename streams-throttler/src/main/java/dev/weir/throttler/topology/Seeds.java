package dev.weir.throttler.topology;

import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the configuration file says of the throttle's part.
 *
 * @param upstreams the settings of upstreams that nothing is known of yet, by name
 * @param tenantWeights of the lanes of tenants that an upstream's own weights do not name
 */
public record Seeds(Map<String, UpstreamSettings> upstreams, Map<String, Integer> tenantWeights) {
    public Seeds {
        upstreams = Map.copyOf(upstreams);
        tenantWeights = Map.copyOf(tenantWeights);
    }

    public static Seeds of(WeirConfig config) {
        Map<String, UpstreamSettings> upstreams = new TreeMap<>();
        config.upstreams().forEach((name, upstream) -> upstreams.put(name, upstream.settings()));
        return new Seeds(upstreams, config.clients().weights());
    }
}
