package dev.weir.contracts.config;

import java.util.regex.Pattern;

/**
 * One who may call Weir, known by an API key. A tenant may have several, with keys and roles of their own.
 *
 * @param tenant whose jobs it submits and sees
 * @param tier the name of one of {@link Clients#tiers()}
 * @param weight of the tenant's lanes at every upstream that names no other
 */
public record ClientConfig(String tenant, KeyHash key, String tier, int weight, ClientRole role) {
    private static final Pattern TENANT = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");

    public ClientConfig {
        if (!TENANT.matcher(tenant).matches()) {
            throw ConfigException.at(
                    "tenant",
                    "expected a tenant's name of up to 63 letters, digits, ., - and _, starting with a letter or digit");
        }
        Weights.require("weight", weight);
    }
}
