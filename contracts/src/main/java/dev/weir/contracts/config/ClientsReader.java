package dev.weir.contracts.config;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.ConfigKeys.ConfigKey;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Reads who may call Weir: the part of {@link ConfigReader} for {@code clients} and {@code tiers}. Not thread-safe. */
final class ClientsReader {
    private static final String PROXY = "an address or a range of addresses, such as 10.0.0.0/8";

    private final ConfigReader reader;
    private final ConfigProblems problems;

    ClientsReader(ConfigReader reader, ConfigProblems problems) {
        this.reader = reader;
        this.problems = problems;
    }

    /** What the file says of them; what is wrong is noted. */
    Clients read(JsonNode root) {
        Map<String, Tier> tiers = tiers(root.path("tiers"));
        List<ClientConfig> clients = clients(root.path("clients"), tiers);
        boolean old = "true".equals(ConfigReader.orElse(oldHeaders(root.path("oldRateLimitHeaders")), "false"));
        return new Clients(clients, tiers, old, proxies(root.path("trustedProxies")));
    }

    private @Nullable String oldHeaders(JsonNode node) {
        return reader.parsed(
                "oldRateLimitHeaders",
                node,
                "true or false",
                text -> text.equals("true") || text.equals("false") ? text : null);
    }

    private Map<String, Tier> tiers(JsonNode node) {
        Map<String, Tier> tiers = new LinkedHashMap<>(Tier.defaults());
        if (!ConfigReader.absent(node) && !node.isObject()) {
            problems.at("tiers", "expected tiers under their names, such as pro: { permits: 10000, per: 1m }");
        }
        if (node.size() > Clients.MOST_TIERS) {
            problems.at("tiers", "expected at most " + Clients.MOST_TIERS + " tiers, but there are " + node.size());
            return tiers;
        }
        ConfigKey keys = requireNonNull(ConfigKeys.ROOT.child("tiers")).item();
        node.properties().forEach(entry -> {
            String path = "tiers." + entry.getKey();
            Tier tier = reader.section(path, entry.getValue(), keys)
                    ? tier(path, entry.getKey(), entry.getValue(), tiers.get(entry.getKey()))
                    : null;
            if (tier != null) {
                tiers.put(tier.name(), tier);
            }
        });
        return tiers;
    }

    /** @param before what this tier is without a word, for what is left out; null when there is none */
    private @Nullable Tier tier(String path, String name, JsonNode node, @Nullable Tier before) {
        JsonNode given = node.path("permits");
        String at = path + ".permits";
        Integer permits = before != null && ConfigReader.absent(given)
                ? Integer.valueOf(before.permits())
                : reader.required(at, given, reader::anyInt, "a whole number of permits");
        Duration per = before != null && ConfigReader.absent(node.path("per"))
                ? before.per()
                : reader.required(path + ".per", node.path("per"), reader::duration, Durations.EXPECTED);
        return permits == null || per == null ? null : reader.checked(path, () -> new Tier(name, permits, per));
    }

    private List<ClientConfig> clients(JsonNode node, Map<String, Tier> tiers) {
        List<ClientConfig> clients = new ArrayList<>();
        if (!ConfigReader.absent(node) && !node.isArray()) {
            problems.at(
                    "clients", "expected a list of clients, such as [{ tenant: acme, apiKey: \"${env:ACME_KEY}\" }]");
            return clients;
        }
        if (node.size() > Clients.MOST) {
            problems.at("clients", "expected at most " + Clients.MOST + " clients, but there are " + node.size());
            return clients;
        }
        Map<KeyHash, String> keys = new LinkedHashMap<>();
        Map<String, Integer> weights = new LinkedHashMap<>();
        for (int i = 0; i < node.size(); i++) {
            String path = "clients[" + i + "]";
            ClientConfig client = client(path, node.get(i), tiers, weights);
            if (client != null) {
                String other = keys.putIfAbsent(client.key(), path);
                if (other != null) {
                    problems.at(path + ".apiKey", "expected a key of its own, but " + other + " has the same");
                }
                clients.add(client);
            }
        }
        if (weights.size() > Weights.MOST_TENANTS) {
            problems.at(
                    "clients",
                    "expected at most " + Weights.MOST_TENANTS + " tenants with a weight, but there are "
                            + weights.size());
        }
        // A tenant's weight is said once, and holds for all of its clients.
        return clients.stream()
                .map(c -> new ClientConfig(
                        c.tenant(), c.key(), c.tier(), weights.getOrDefault(c.tenant(), Weights.TENANT), c.role()))
                .toList();
    }

    private @Nullable ClientConfig client(
            String path, JsonNode node, Map<String, Tier> tiers, Map<String, Integer> weights) {
        ConfigKey keys = requireNonNull(ConfigKeys.ROOT.child("clients")).item();
        if (!reader.section(path, node, keys)) {
            return null;
        }
        int before = problems.count();
        String tenant = reader.required(path + ".tenant", node.path("tenant"), reader::text, "the name of a tenant");
        KeyHash key = key(path + ".apiKey", node.path("apiKey"));
        String tier = reader.parsed(
                path + ".tier",
                node.path("tier"),
                "one of " + String.join(", ", tiers.keySet()),
                text -> tiers.containsKey(text) ? text : null);
        ClientRole role = reader.parsed(
                path + ".role",
                node.path("role"),
                "producer, operator or analyst",
                text -> Stream.of(ClientRole.values())
                        .filter(known -> known.text().equals(text))
                        .findFirst()
                        .orElse(null));
        Integer weight = reader.anyInt(path + ".weight", node.path("weight"));
        if (problems.count() > before || tenant == null || key == null) {
            return null;
        }
        Integer other = weight == null ? null : weights.putIfAbsent(tenant, weight);
        if (other != null && !other.equals(weight)) {
            problems.at(
                    path + ".weight",
                    "expected one weight for all clients of a tenant, but it is " + weight + ", and another one says "
                            + other);
        }
        return reader.checked(
                path,
                () -> new ClientConfig(
                        tenant,
                        key,
                        ConfigReader.orElse(tier, Tier.FREE),
                        ConfigReader.orElse(weight, Weights.TENANT),
                        ConfigReader.orElse(role, ClientRole.PRODUCER)));
    }

    /** The hash of a key; the key itself goes no further. */
    private @Nullable KeyHash key(String path, JsonNode node) {
        if (node.isValueNode()) {
            problems.hide(node.asText());
        }
        String key = reader.required(path, node, reader::text, "a secret, such as ${env:NAME}");
        if (key == null) {
            return null;
        }
        problems.hide(key);
        if (!KeyHash.canBeKey(key)) {
            problems.at(
                    path,
                    key.isEmpty()
                            ? "expected a secret, but it is empty"
                            : "expected at most " + KeyHash.LONGEST_KEY
                                    + " visible ASCII characters without spaces: others cannot be sent in a header");
            return null;
        }
        if (key.length() < KeyHash.SHORTEST_SAFE_KEY) {
            problems.warn(
                    path,
                    "the key has fewer than " + KeyHash.SHORTEST_SAFE_KEY
                            + " characters and can be guessed; use one that is drawn by chance, such as `openssl rand -hex 32`"
                            + " prints");
        }
        return KeyHash.of(key);
    }

    private List<AddressRange> proxies(JsonNode node) {
        List<AddressRange> ranges = new ArrayList<>();
        if (!ConfigReader.absent(node) && !node.isArray()) {
            problems.at("trustedProxies", "expected a list of addresses, such as [10.0.0.0/8]");
            return ranges;
        }
        if (node.size() > Clients.MOST_PROXIES) {
            problems.at(
                    "trustedProxies", "expected at most " + Clients.MOST_PROXIES + ", but there are " + node.size());
            return ranges;
        }
        for (int i = 0; i < node.size(); i++) {
            String path = "trustedProxies[" + i + "]";
            AddressRange range = reader.required(
                    path, node.get(i), (at, each) -> reader.parsed(at, each, PROXY, AddressRange::parse), PROXY);
            if (range != null) {
                ranges.add(range);
            }
        }
        return ranges;
    }
}
