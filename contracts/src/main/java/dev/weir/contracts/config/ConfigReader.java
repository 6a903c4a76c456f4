package dev.weir.contracts.config;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.ConfigKeys.ConfigKey;
import dev.weir.contracts.config.ConfigKeys.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Turns the tree of a configuration file into the records, defaults filled in. A bad value is noted and reading goes on, so
 * that one start shows every problem. Not thread-safe.
 */
final class ConfigReader {
    private static final int SMALLEST_BODY_LIMIT = 1024;
    private static final int LARGEST_BODY_LIMIT = 4 * 1024 * 1024;

    private final Placeholders placeholders;
    private final ConfigProblems problems;

    /** @param env for placeholders; null where none may be: they could read what the asker may not */
    ConfigReader(@Nullable Map<String, String> env, ConfigProblems problems) {
        this.placeholders = new Placeholders(env);
        this.problems = problems;
    }

    /** The configuration; null when anything is wrong, which the problems then say. */
    @Nullable
    WeirConfig read(JsonNode root) {
        ConfigKey keys = ConfigKeys.ROOT;
        root.fieldNames().forEachRemaining(name -> known("", name, keys));
        Clients clients = new ClientsReader(this, problems).read(root);
        int maxBodyBytes = orElse(
                whole("maxBodyBytes", root.path("maxBodyBytes"), SMALLEST_BODY_LIMIT, LARGEST_BODY_LIMIT),
                WeirConfig.DEFAULT_MAX_BODY_BYTES);
        ResultsReader further = new ResultsReader(this);
        ResultsSettings results = further.results(root.path("results"));
        DatabaseSettings database = further.database(root.path("database"));
        Map<String, UpstreamConfig> upstreams = new LinkedHashMap<>();
        JsonNode named = root.path("upstreams");
        if (!named.isObject() || named.isEmpty()) {
            problems.at("upstreams", "expected at least one upstream under its name");
            return null;
        }
        ConfigKey upstream = requireNonNull(keys.child("upstreams")).item();
        named.properties().forEach(entry -> {
            UpstreamConfig read = upstream(entry.getKey(), entry.getValue(), upstream);
            if (read != null) {
                upstreams.put(entry.getKey(), read);
            }
        });
        return problems.count() > 0 || results == null || database == null
                ? null
                : new WeirConfig(upstreams, maxBodyBytes, clients, results, database);
    }

    private @Nullable UpstreamConfig upstream(String name, JsonNode node, ConfigKey keys) {
        String path = "upstreams." + name;
        int before = problems.count();
        if (!section(path, node, keys)) {
            return null;
        }
        URI baseUrl = required(under(path, "baseUrl"), node.path("baseUrl"), this::uri, "http(s)://host[:port][/path]");
        UpstreamSettings settings = settings(path, node, keys);
        AuthSettings auth = auth(under(path, "auth"), node.path("auth"), keys);
        if (problems.count() > before || baseUrl == null || settings == null) {
            return null;
        }
        return checked(path, () -> new UpstreamConfig(name, baseUrl, settings, auth));
    }

    /** What can change while Weir runs; null, and noted, when anything in it is wrong. */
    private @Nullable UpstreamSettings settings(String path, JsonNode node, ConfigKey keys) {
        int before = problems.count();
        List<Limit> limits = limits(under(path, "limits"), node.path("limits"), keys);
        BigDecimal utilization = orElse(
                decimal(under(path, "utilization"), node.path("utilization")), UpstreamSettings.DEFAULT_UTILIZATION);
        int burst = orElse(anyInt(under(path, "burst"), node.path("burst")), UpstreamSettings.DEFAULT_BURST);
        int maxInFlight = orElse(
                anyInt(under(path, "maxInFlight"), node.path("maxInFlight")), UpstreamSettings.DEFAULT_MAX_IN_FLIGHT);
        Duration permitTtl =
                orElse(duration(under(path, "permitTtl"), node.path("permitTtl")), UpstreamSettings.DEFAULT_PERMIT_TTL);
        Duration timeout =
                orElse(duration(under(path, "timeout"), node.path("timeout")), UpstreamSettings.DEFAULT_TIMEOUT);
        RetrySettings retry = retry(under(path, "retry"), node.path("retry"), keys);
        CircuitBreakerSettings breaker = breaker(under(path, "circuitBreaker"), node.path("circuitBreaker"), keys);
        Weights weights = weights(under(path, "weights"), node.path("weights"), keys);
        if (problems.count() > before || retry == null || breaker == null || weights == null) {
            return null;
        }
        return checked(
                path,
                () -> new UpstreamSettings(
                        limits, utilization, burst, maxInFlight, permitTtl, timeout, retry, breaker, weights));
    }

    private List<Limit> limits(String path, JsonNode node, ConfigKey keys) {
        List<Limit> limits = new ArrayList<>();
        if (!node.isArray() || node.isEmpty()) {
            problems.at(path, "expected a list of at least one limit, such as [{ permits: 1000, per: 1m }]");
            return limits;
        }
        ConfigKey item = requireNonNull(keys.child("limits")).item();
        for (int i = 0; i < node.size(); i++) {
            String at = path + "[" + i + "]";
            JsonNode each = node.get(i);
            int before = problems.count();
            if (!section(at, each, item)) {
                continue;
            }
            Long permits = required(at + ".permits", each.path("permits"), this::anyLong, "a whole number of permits");
            Duration per = required(at + ".per", each.path("per"), this::duration, Durations.EXPECTED);
            if (permits != null && per != null && problems.count() == before) {
                Limit limit = checked(at, () -> new Limit(permits, per));
                if (limit != null) {
                    limits.add(limit);
                }
            }
        }
        return limits;
    }

    private @Nullable RetrySettings retry(String path, JsonNode node, ConfigKey upstream) {
        if (absent(node)) {
            return RetrySettings.DEFAULT;
        }
        if (!section(path, node, requireNonNull(upstream.child("retry")))) {
            return null;
        }
        JsonNode list = node.path("delays");
        if (absent(list)) {
            return RetrySettings.DEFAULT;
        }
        if (!list.isArray()) {
            problems.at(under(path, "delays"), "expected a list of durations, such as [5m, 15m]; [] for no retry");
            return null;
        }
        List<Duration> delays = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            Duration delay = required(path + ".delays[" + i + "]", list.get(i), this::duration, Durations.EXPECTED);
            if (delay != null) {
                delays.add(delay);
            }
        }
        return checked(path, () -> new RetrySettings(delays));
    }

    private @Nullable CircuitBreakerSettings breaker(String path, JsonNode node, ConfigKey upstream) {
        CircuitBreakerSettings defaults = CircuitBreakerSettings.DEFAULT;
        if (absent(node)) {
            return defaults;
        }
        if (!section(path, node, requireNonNull(upstream.child("circuitBreaker")))) {
            return null;
        }
        int failures = orElse(anyInt(under(path, "failures"), node.path("failures")), defaults.failures());
        Duration open = orElse(duration(under(path, "open"), node.path("open")), defaults.open());
        int probes = orElse(anyInt(under(path, "probes"), node.path("probes")), defaults.probes());
        return checked(path, () -> new CircuitBreakerSettings(failures, open, probes));
    }

    private @Nullable Weights weights(String path, JsonNode node, ConfigKey upstream) {
        if (absent(node)) {
            return Weights.DEFAULT;
        }
        ConfigKey keys = requireNonNull(upstream.child("weights"));
        if (!section(path, node, keys)) {
            return null;
        }
        Weights.Priorities priorities = Weights.DEFAULT.priorities();
        JsonNode named = node.path("priorities");
        if (!absent(named) && section(under(path, "priorities"), named, requireNonNull(keys.child("priorities")))) {
            String at = under(path, "priorities");
            int high = orElse(anyInt(at + ".high", named.path("high")), priorities.high());
            int normal = orElse(anyInt(at + ".normal", named.path("normal")), priorities.normal());
            int low = orElse(anyInt(at + ".low", named.path("low")), priorities.low());
            priorities = checked(at, () -> new Weights.Priorities(high, normal, low));
        }
        Map<String, Integer> tenants = new LinkedHashMap<>();
        JsonNode weighted = node.path("tenants");
        if (!absent(weighted) && !weighted.isObject()) {
            problems.at(under(path, "tenants"), "expected weights by tenant, such as { acme: 3 }");
        }
        if (weighted.size() > Weights.MOST_TENANTS) {
            problems.at(under(path, "tenants"), "expected at most " + Weights.MOST_TENANTS + " tenants");
        }
        weighted.properties().forEach(tenant -> {
            String at = path + ".tenants." + tenant.getKey();
            Integer weight = required(at, tenant.getValue(), this::anyInt, "a weight");
            if (weight != null) {
                tenants.put(tenant.getKey(), weight);
            }
        });
        Weights.Priorities read = priorities;
        return read == null ? null : checked(under(path, "tenants"), () -> new Weights(tenants, read));
    }

    private @Nullable AuthSettings auth(String path, JsonNode node, ConfigKey upstream) {
        if (absent(node) || !section(path, node, requireNonNull(upstream.child("auth")))) {
            return null;
        }
        if (node.path("value").isValueNode()) {
            problems.hide(node.path("value").asText());
        }
        String header = required(under(path, "header"), node.path("header"), this::text, "a header's name");
        Secret.Value value =
                required(under(path, "value"), node.path("value"), this::filled, "a secret, such as ${env:NAME}");
        if (header == null || value == null) {
            return null;
        }
        problems.hide(value.text());
        String wrong = AuthSettings.problem(header, value.text());
        if (wrong != null) {
            problems.at(path, wrong);
        }
        return new AuthSettings(
                header,
                placeholders.secret(scalar(node.path("value")), value, text -> AuthSettings.problem(header, text)));
    }

    /** The settings of an upstream on their own, under keys that are relative to it; null when anything in them is wrong. */
    @Nullable
    UpstreamSettings settings(JsonNode node) {
        return section("", node, ConfigKeys.SETTINGS) ? settings("", node, ConfigKeys.SETTINGS) : null;
    }

    /** Whether a node is a section; notes its unknown keys. */
    boolean section(String path, JsonNode node, ConfigKey keys) {
        if (!node.isObject()) {
            problems.at(path, "expected a section with the keys " + names(keys));
            return false;
        }
        node.fieldNames().forEachRemaining(name -> known(path, name, keys));
        return true;
    }

    private void known(String path, String name, ConfigKey keys) {
        if (keys.kind() == Kind.SECTION && keys.child(name) == null) {
            String near = ConfigKeys.nearest(name, keys.children());
            problems.at(
                    under(path, name),
                    "unknown key; " + (near == null ? "" : "did you mean " + near + "? ") + "expected one of "
                            + names(keys));
        }
    }

    private static String under(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    private static String names(ConfigKey keys) {
        return String.join(", ", keys.children().stream().map(ConfigKey::name).toList());
    }

    <T> @Nullable T checked(String path, Supplier<T> make) {
        try {
            return make.get();
        } catch (ConfigException e) {
            // "key: what is wrong", the key being relative to this section, or the upstream's own name
            String message = String.valueOf(e.getMessage());
            int colon = message.indexOf(": ");
            String key = message.substring(0, colon);
            problems.at(path.endsWith("." + key) ? path : under(path, key), message.substring(colon + 2));
            return null;
        }
    }

    interface Read<T> {
        @Nullable
        T read(String path, JsonNode node);
    }

    <T> @Nullable T required(String path, JsonNode node, Read<T> read, String expected) {
        if (absent(node)) {
            problems.at(path, "missing; expected " + expected);
            return null;
        }
        return read.read(path, node);
    }

    private @Nullable URI uri(String path, JsonNode node) {
        String text = absent(node) ? null : text(path, node);
        if (text == null) {
            return null;
        }
        try {
            return new URI(text);
        } catch (URISyntaxException e) {
            // The text may hold a password or a key, even where it is no URI.
            problems.at(
                    path,
                    "expected http(s)://host[:port][/path], but "
                            + (text.isEmpty() ? "it is empty" : "it is no URI (" + e.getReason() + ")"));
            return null;
        }
    }

    @Nullable
    Duration duration(String path, JsonNode node) {
        return parsed(path, node, Durations.EXPECTED, Durations::parse);
    }

    private @Nullable BigDecimal decimal(String path, JsonNode node) {
        return parsed(path, node, "a number such as 0.9", ConfigReader::number);
    }

    @Nullable
    Integer anyInt(String path, JsonNode node) {
        return whole(path, node, Integer.MIN_VALUE, Integer.MAX_VALUE);
    }

    private @Nullable Integer whole(String path, JsonNode node, int from, int to) {
        Long value = anyLong(path, node);
        if (value == null) {
            return null;
        }
        if (value < from || value > to) {
            problems.at(path, "expected " + from + " to " + to + ", but it is " + value);
            return null;
        }
        return Math.toIntExact(value);
    }

    private @Nullable Long anyLong(String path, JsonNode node) {
        return parsed(path, node, "a whole number", text -> {
            try {
                return new BigInteger(text).longValueExact();
            } catch (ArithmeticException | NumberFormatException e) {
                return null;
            }
        });
    }

    private static @Nullable BigDecimal number(String text) {
        try {
            return new BigDecimal(text);
        } catch (NumberFormatException e) {
            return null;
        }
    }

    <T> @Nullable T parsed(String path, JsonNode node, String expected, Function<String, @Nullable T> parse) {
        String text = absent(node) ? null : text(path, node);
        if (text == null) {
            return null;
        }
        T value = parse.apply(text);
        if (value == null) {
            problems.at(path, "expected " + expected + ", but it is " + (text.isEmpty() ? "empty" : text));
        }
        return value;
    }

    /** A value as text, its placeholders filled in; null, and noted, when it is none or a placeholder cannot be. */
    @Nullable
    String text(String path, JsonNode node) {
        Secret.Value filled = filled(path, node);
        return filled == null ? null : filled.text();
    }

    private Secret.@Nullable Value filled(String path, JsonNode node) {
        if (!node.isValueNode()) {
            problems.at(path, "expected a single value, but it is a " + (node.isArray() ? "list" : "section"));
            return null;
        }
        try {
            Secret.Value filled = placeholders.fill(scalar(node));
            filled.pieces().forEach(problems::hide);
            return filled;
        } catch (UnusableSecretException e) {
            String.valueOf(e.getMessage()).lines().forEach(line -> problems.at(path, line));
            return null;
        }
    }

    private static String scalar(JsonNode node) {
        return node.isBigDecimal() ? node.decimalValue().toPlainString() : node.asText();
    }

    static <T> T orElse(@Nullable T value, T otherwise) {
        return value == null ? otherwise : value;
    }

    static boolean absent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }
}
