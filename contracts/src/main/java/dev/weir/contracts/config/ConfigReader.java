package dev.weir.contracts.config;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.ConfigKeys.ConfigKey;
import dev.weir.contracts.config.ConfigKeys.Kind;
import dev.weir.contracts.http.CallRules;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Turns the tree of a configuration file into the records, defaults filled in. A bad value is noted and reading goes on, so
 * that one start shows every problem. Not thread-safe.
 */
final class ConfigReader {
    private static final int SMALLEST_BODY_LIMIT = 1024;
    private static final int LARGEST_BODY_LIMIT = 4 * 1024 * 1024;
    private static final long MAX_SECRET_FILE_BYTES = 64 * 1024;
    private static final Pattern PLACEHOLDER = Pattern.compile("\\$\\{([a-z]*):?([^}]*)}");
    private static final String NO_AUTHENTICATION_YET =
            "authentication is not in this version yet, so this would have no effect; take it out";

    private final Map<String, String> env;
    private final ConfigProblems problems;

    ConfigReader(Map<String, String> env, ConfigProblems problems) {
        this.env = env;
        this.problems = problems;
    }

    /** The configuration; null when anything is wrong, which the problems then say. */
    @Nullable
    WeirConfig read(JsonNode root) {
        ConfigKey keys = ConfigKeys.ROOT;
        root.fieldNames().forEachRemaining(name -> {
            if (name.equals("clients") || name.equals("tiers")) {
                problems.at(name, NO_AUTHENTICATION_YET);
            } else {
                known("", name, keys);
            }
        });
        int maxBodyBytes = orElse(
                whole("maxBodyBytes", root.path("maxBodyBytes"), SMALLEST_BODY_LIMIT, LARGEST_BODY_LIMIT),
                WeirConfig.DEFAULT_MAX_BODY_BYTES);
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
        return problems.count() > 0 ? null : new WeirConfig(upstreams, maxBodyBytes);
    }

    private @Nullable UpstreamConfig upstream(String name, JsonNode node, ConfigKey keys) {
        String path = "upstreams." + name;
        int before = problems.count();
        if (!section(path, node, keys)) {
            return null;
        }
        URI baseUrl = required(path + ".baseUrl", node.path("baseUrl"), this::uri, "http(s)://host[:port][/path]");
        List<Limit> limits = limits(path + ".limits", node.path("limits"), keys);
        BigDecimal utilization =
                orElse(decimal(path + ".utilization", node.path("utilization")), UpstreamConfig.DEFAULT_UTILIZATION);
        int burst = orElse(anyInt(path + ".burst", node.path("burst")), UpstreamConfig.DEFAULT_BURST);
        int maxInFlight =
                orElse(anyInt(path + ".maxInFlight", node.path("maxInFlight")), UpstreamConfig.DEFAULT_MAX_IN_FLIGHT);
        Duration permitTtl =
                orElse(duration(path + ".permitTtl", node.path("permitTtl")), UpstreamConfig.DEFAULT_PERMIT_TTL);
        Duration timeout = orElse(duration(path + ".timeout", node.path("timeout")), UpstreamConfig.DEFAULT_TIMEOUT);
        RetrySettings retry = retry(path + ".retry", node.path("retry"), keys);
        CircuitBreakerSettings breaker = breaker(path + ".circuitBreaker", node.path("circuitBreaker"), keys);
        AuthSettings auth = auth(path + ".auth", node.path("auth"), keys);
        if (problems.count() > before || baseUrl == null || retry == null || breaker == null) {
            return null;
        }
        return checked(
                path,
                () -> new UpstreamConfig(
                        name,
                        baseUrl,
                        limits,
                        utilization,
                        burst,
                        maxInFlight,
                        permitTtl,
                        timeout,
                        retry,
                        breaker,
                        auth));
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
            problems.at(path + ".delays", "expected a list of durations, such as [5m, 15m]; [] for no retry");
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
        int failures = orElse(anyInt(path + ".failures", node.path("failures")), defaults.failures());
        Duration open = orElse(duration(path + ".open", node.path("open")), defaults.open());
        int probes = orElse(anyInt(path + ".probes", node.path("probes")), defaults.probes());
        return checked(path, () -> new CircuitBreakerSettings(failures, open, probes));
    }

    private @Nullable AuthSettings auth(String path, JsonNode node, ConfigKey upstream) {
        if (absent(node) || !section(path, node, requireNonNull(upstream.child("auth")))) {
            return null;
        }
        if (node.path("value").isValueNode()) {
            problems.hide(node.path("value").asText());
        }
        String header = required(path + ".header", node.path("header"), this::text, "a header's name");
        String value = required(path + ".value", node.path("value"), this::text, "a secret, such as ${env:NAME}");
        if (header == null || value == null) {
            return null;
        }
        problems.hide(value);
        CallRules.headers(Map.of(header, value), null)
                .forEach(bad -> problems.at(path, "cannot be sent as a header: " + bad.detail()));
        if (value.isEmpty()) {
            problems.at(path + ".value", "expected a secret, but it is empty");
        }
        return new AuthSettings(header, new Secret(value));
    }

    /** Whether a node is a section; notes its unknown keys. */
    private boolean section(String path, JsonNode node, ConfigKey keys) {
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
                    path.isEmpty() ? name : path + "." + name,
                    "unknown key; " + (near == null ? "" : "did you mean " + near + "? ") + "expected one of "
                            + names(keys));
        }
    }

    private static String names(ConfigKey keys) {
        return String.join(", ", keys.children().stream().map(ConfigKey::name).toList());
    }

    private <T> @Nullable T checked(String path, Supplier<T> make) {
        try {
            return make.get();
        } catch (ConfigException e) {
            // "key: what is wrong", the key being relative to this section, or the upstream's own name
            String message = String.valueOf(e.getMessage());
            int colon = message.indexOf(": ");
            String key = message.substring(0, colon);
            problems.at(path.endsWith("." + key) ? path : path + "." + key, message.substring(colon + 2));
            return null;
        }
    }

    private interface Read<T> {
        @Nullable
        T read(String path, JsonNode node);
    }

    private <T> @Nullable T required(String path, JsonNode node, Read<T> read, String expected) {
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

    private @Nullable Duration duration(String path, JsonNode node) {
        return parsed(path, node, Durations.EXPECTED, Durations::parse);
    }

    private @Nullable BigDecimal decimal(String path, JsonNode node) {
        return parsed(path, node, "a number such as 0.9", ConfigReader::number);
    }

    private @Nullable Integer anyInt(String path, JsonNode node) {
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

    private <T> @Nullable T parsed(String path, JsonNode node, String expected, Function<String, @Nullable T> parse) {
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
    private @Nullable String text(String path, JsonNode node) {
        if (!node.isValueNode()) {
            problems.at(path, "expected a single value, but it is a " + (node.isArray() ? "list" : "section"));
            return null;
        }
        String text = node.isBigDecimal() ? node.decimalValue().toPlainString() : node.asText();
        Matcher placeholders = PLACEHOLDER.matcher(text);
        StringBuilder filled = new StringBuilder();
        boolean whole = true;
        while (placeholders.find()) {
            String value = fill(path, placeholders.group(), placeholders.group(1), placeholders.group(2));
            whole &= value != null;
            placeholders.appendReplacement(filled, Matcher.quoteReplacement(value == null ? "" : value));
        }
        placeholders.appendTail(filled);
        return whole ? filled.toString() : null;
    }

    private @Nullable String fill(String path, String placeholder, String kind, String name) {
        String value;
        switch (kind) {
            case "env" -> {
                value = env.get(name);
                if (value == null) {
                    problems.at(path, "the environment variable " + name + " that it names is not set");
                }
            }
            case "file" -> value = secretFile(path, name);
            default -> {
                problems.at(path, "expected ${env:NAME} or ${file:/path}, but it is " + placeholder);
                value = null;
            }
        }
        if (value != null) {
            problems.hide(value);
        }
        return value;
    }

    private @Nullable String secretFile(String path, String name) {
        try {
            Path file = Path.of(name);
            if (Files.size(file) > MAX_SECRET_FILE_BYTES) {
                problems.at(path, "the file " + name + " is larger than " + MAX_SECRET_FILE_BYTES + " bytes");
                return null;
            }
            return Files.readString(file).stripTrailing();
        } catch (IOException | InvalidPathException e) {
            problems.at(
                    path,
                    "the file " + name + " that it names cannot be read: "
                            + e.getClass().getSimpleName());
            return null;
        }
    }

    private static <T> T orElse(@Nullable T value, T otherwise) {
        return value == null ? otherwise : value;
    }

    private static boolean absent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }
}
