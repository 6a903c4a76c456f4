package dev.weir.contracts.config;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * Who may call Weir, and how much.
 *
 * @param list none: calls from this machine need no key, and no other calls are taken
 * @param tiers by name; {@link Tier#defaults()} are always among them
 * @param oldRateLimitHeaders whether answers carry {@code X-RateLimit-Limit}, {@code -Remaining} and {@code -Reset} too
 * @param trustedProxies whose {@code X-Forwarded-For} is believed
 */
public record Clients(
        List<ClientConfig> list,
        Map<String, Tier> tiers,
        boolean oldRateLimitHeaders,
        List<AddressRange> trustedProxies) {
    public static final int MOST = 10_000;
    public static final int MOST_TIERS = 100;
    public static final int MOST_PROXIES = 100;
    public static final Clients NONE = new Clients(List.of(), Tier.defaults(), false, List.of());

    public Clients {
        list = List.copyOf(list);
        tiers = Map.copyOf(tiers);
        trustedProxies = List.copyOf(trustedProxies);
    }

    /** The tier of a name that is known to be one's. */
    public Tier tier(String name) {
        return Objects.requireNonNull(tiers.get(name), name);
    }

    public boolean isEmpty() {
        return list.isEmpty();
    }

    /** The weights that are not {@link Weights#TENANT}, by tenant. */
    public Map<String, Integer> weights() {
        Map<String, Integer> weights = new TreeMap<>();
        for (ClientConfig client : list) {
            if (client.weight() != Weights.TENANT) {
                weights.put(client.tenant(), client.weight());
            }
        }
        return weights;
    }
}
