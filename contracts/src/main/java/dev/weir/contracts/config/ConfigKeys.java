package dev.weir.contracts.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The keys that a configuration file may have, as a tree: it tells unknown keys, and which key an environment variable
 * stands for.
 */
final class ConfigKeys {
    enum Kind {
        VALUE,
        /** Keys of its own, all known. */
        SECTION,
        /** Entries under names that the user chooses; the one child is what each entry is. */
        NAMED,
        /** Values under names that the user chooses: set as a whole. */
        MAP,
        /** A list; the one child is what each item is. */
        LIST
    }

    record ConfigKey(String name, Kind kind, List<ConfigKey> children) {
        @Nullable
        ConfigKey child(String name) {
            for (ConfigKey child : children) {
                if (child.name.equals(name)) {
                    return child;
                }
            }
            return null;
        }

        ConfigKey item() {
            return children.get(0);
        }
    }

    /** Of an upstream, what can change while Weir runs. */
    static final ConfigKey SETTINGS = section(
            "",
            new ConfigKey("limits", Kind.LIST, List.of(section("", value("permits"), value("per")))),
            value("utilization"),
            value("burst"),
            value("maxInFlight"),
            value("permitTtl"),
            value("timeout"),
            section("retry", new ConfigKey("delays", Kind.LIST, List.of(value("")))),
            section("circuitBreaker", value("failures"), value("open"), value("probes")),
            section(
                    "weights",
                    new ConfigKey("tenants", Kind.MAP, List.of()),
                    section("priorities", value("high"), value("normal"), value("low"))));

    private static final ConfigKey UPSTREAM = new ConfigKey(
            "",
            Kind.SECTION,
            Stream.of(
                            Stream.of(value("baseUrl")),
                            SETTINGS.children().stream(),
                            Stream.of(section("auth", value("header"), value("value"))))
                    .flatMap(children -> children)
                    .toList());

    static final ConfigKey ROOT = section(
            "",
            new ConfigKey("upstreams", Kind.NAMED, List.of(UPSTREAM)),
            value("maxBodyBytes"),
            new ConfigKey(
                    "clients",
                    Kind.LIST,
                    List.of(section(
                            "", value("tenant"), value("apiKey"), value("tier"), value("weight"), value("role")))),
            new ConfigKey("tiers", Kind.NAMED, List.of(section("", value("permits"), value("per")))),
            value("oldRateLimitHeaders"),
            new ConfigKey("trustedProxies", Kind.LIST, List.of(value(""))),
            section("results", value("maxAnswerBytes"), value("retention")),
            section("database", value("connections"), value("perDispatcher"), value("perStatus")));

    /** Variables that are settings of the process, not keys of the file. */
    static final Set<String> RESERVED_VARIABLES = Set.of(
            "WEIR_CONFIG",
            "WEIR_PORT",
            "WEIR_HOST",
            "WEIR_BOOTSTRAP_SERVERS",
            "WEIR_DATABASE_URL",
            "WEIR_STATUS_URL",
            "WEIR_STATE_DIR",
            "WEIR_URL",
            "WEIR_API_KEY",
            "WEIR_LOG_LEVEL",
            "WEIR_INSTANCE",
            "WEIR_DRAIN",
            "WEIR_LEAVE",
            "WEIR_REPLICATION",
            "WEIR_JAVA_OPTS",
            "WEIR_HOME");

    static final String PREFIX = "WEIR_";

    private ConfigKeys() {}

    /** A place in the file: names of keys and, in lists, indexes. */
    record Target(List<Object> steps, ConfigKey key) {
        String path() {
            StringBuilder path = new StringBuilder();
            for (Object step : steps) {
                if (step instanceof Integer index) {
                    path.append('[').append(index).append(']');
                } else {
                    path.append(path.isEmpty() ? "" : ".").append(step);
                }
            }
            return path.toString();
        }
    }

    /**
     * Every key that a variable's name can stand for; more than one only when names look alike.
     *
     * @param names those that the user chose, by the key that they stand under
     */
    static List<Target> targetsOf(String variable, Map<String, Set<String>> names) {
        List<Target> found = new ArrayList<>();
        collect(variable.substring(PREFIX.length()), ROOT, List.of(), names, found);
        return found;
    }

    /** The upstream of the file that a variable speaks of, whatever key it names; null when it speaks of none. */
    static @Nullable String upstreamOf(String variable, Set<String> upstreams) {
        return upstreams.stream()
                .filter(name -> variable.startsWith(PREFIX + "UPSTREAMS_" + form(name) + "_"))
                .max(Comparator.comparingInt(String::length).thenComparing(Comparator.naturalOrder()))
                .orElse(null);
    }

    static String upstreamKeys() {
        return String.join(
                ", ", UPSTREAM.children().stream().map(ConfigKey::name).toList());
    }

    private static void collect(
            String rest, ConfigKey key, List<Object> steps, Map<String, Set<String>> names, List<Target> found) {
        switch (key.kind()) {
            case VALUE, MAP -> {
                // has no keys below it that a variable could name
            }
            case SECTION -> {
                for (ConfigKey child : key.children()) {
                    for (String form :
                            new HashSet<>(List.of(child.name().toUpperCase(Locale.ROOT), split(child.name())))) {
                        step(rest, form, child.name(), child, steps, names, found);
                    }
                }
            }
            case NAMED -> {
                for (String name : names.getOrDefault(key.name(), Set.of())) {
                    step(rest, form(name), name, key.item(), steps, names, found);
                }
            }
            case LIST -> {
                int digits = 0;
                while (digits < rest.length() && digits < 4 && isDigit(rest.charAt(digits))) {
                    digits++;
                }
                if (digits > 0) {
                    String index = rest.substring(0, digits);
                    step(rest, index, Integer.valueOf(index), key.item(), steps, names, found);
                }
            }
        }
    }

    private static void step(
            String rest,
            String form,
            Object step,
            ConfigKey child,
            List<Object> steps,
            Map<String, Set<String>> names,
            List<Target> found) {
        List<Object> longer = new ArrayList<>(steps);
        longer.add(step);
        if (rest.equals(form)) {
            found.add(new Target(List.copyOf(longer), child));
        } else if (rest.startsWith(form + "_")) {
            collect(rest.substring(form.length() + 1), child, longer, names, found);
        }
    }

    /** A name that the user chose as it stands in a variable's. */
    private static String form(String name) {
        return name.toUpperCase(Locale.ROOT).replace('-', '_');
    }

    /** {@code maxInFlight} as {@code MAX_IN_FLIGHT}. */
    private static String split(String camelCase) {
        return camelCase.replaceAll("([a-z])([A-Z])", "$1_$2").toUpperCase(Locale.ROOT);
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    /** The known key that a mistyped one most likely means; null when none is near. */
    static @Nullable String nearest(String typed, List<ConfigKey> known) {
        String best = null;
        int bestDistance = Math.max(2, typed.length() / 3) + 1;
        for (ConfigKey key : known) {
            int distance = distance(typed.toLowerCase(Locale.ROOT), key.name().toLowerCase(Locale.ROOT));
            if (distance < bestDistance) {
                best = key.name();
                bestDistance = distance;
            }
        }
        return best;
    }

    /** Edits (insert, delete, replace) from one word to the other: Levenshtein, one row at a time. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }

    private static ConfigKey section(String name, ConfigKey... children) {
        return new ConfigKey(name, Kind.SECTION, List.of(children));
    }

    private static ConfigKey value(String name) {
        return new ConfigKey(name, Kind.VALUE, List.of());
    }
}
