package dev.weir.contracts.config;

import dev.weir.contracts.wire.Priority;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * How much of an upstream each lane gets while several wait: a lane's weight is its tenant's times its priority's. Nothing
 * starves, however small its weight.
 *
 * @param tenants by name; a tenant that is not here weighs {@link #TENANT}
 */
public record Weights(Map<String, Integer> tenants, Priorities priorities) {
    public static final int TENANT = 1;
    public static final int MOST = 1000;
    /** That an upstream names, and that clients have. */
    public static final int MOST_TENANTS = 1000;

    private static final int MOST_IN_ALL = 2 * MOST_TENANTS;
    public static final Weights DEFAULT = new Weights(Map.of(), new Priorities(4, 2, 1));

    /** The weights of the three priorities. */
    public record Priorities(int high, int normal, int low) {
        public Priorities {
            require("high", high);
            require("normal", normal);
            require("low", low);
        }
    }

    public Weights {
        tenants = Collections.unmodifiableMap(new TreeMap<>(tenants));
        if (tenants.size() > MOST_IN_ALL) {
            throw ConfigException.at(
                    "tenants", "expected at most " + MOST_IN_ALL + " tenants, but there are " + tenants.size());
        }
        tenants.forEach(Weights::require);
    }

    /** Of the lane of this tenant and priority. */
    public int of(String tenant, Priority priority) {
        int own = switch (priority) {
            case HIGH -> priorities.high();
            case NORMAL -> priorities.normal();
            case LOW -> priorities.low();
        };
        return own * tenants.getOrDefault(tenant, TENANT);
    }

    /** The same, and for tenants that are not here what others say of them. */
    public Weights orElse(Map<String, Integer> others) {
        Map<String, Integer> all = new TreeMap<>(others);
        all.putAll(tenants);
        return new Weights(all, priorities);
    }

    /** The same, without some tenants. */
    public Weights without(Predicate<String> hidden) {
        Map<String, Integer> shown = new TreeMap<>(tenants);
        shown.keySet().removeIf(hidden);
        return new Weights(shown, priorities);
    }

    static void require(String key, int weight) {
        if (weight < 1 || weight > MOST) {
            throw ConfigException.at(key, "expected a weight of 1 to " + MOST + ", but it is " + weight);
        }
    }
}
