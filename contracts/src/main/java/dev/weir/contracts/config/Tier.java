package dev.weir.contracts.config;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * How many jobs a client may submit: at most {@code permits} in every rolling window of length {@code per}.
 *
 * @param name lower-case letters, digits, {@code -} and {@code _}
 * @param per whole seconds, because the {@code RateLimit-Policy} field knows no other
 */
public record Tier(String name, int permits, Duration per) {
    /** Of callers without a valid key, each counted by its address. */
    public static final String ANONYMOUS = "anonymous";
    /** Of a client that names none. */
    public static final String FREE = "free";
    /** The limiter keeps 8 bytes for each permit that was used within the window. */
    public static final int MOST_PERMITS = 1_000_000;

    public static final Duration SHORTEST = Duration.ofSeconds(1);
    public static final Duration LONGEST = Duration.ofDays(1);

    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,31}");

    public Tier {
        if (!NAME.matcher(name).matches()) {
            throw ConfigException.at(
                    name,
                    "expected a tier's name of up to 32 lower-case letters, digits, - and _, starting with a letter or digit");
        }
        if (permits < 1 || permits > MOST_PERMITS) {
            throw ConfigException.at("permits", "expected 1 to " + MOST_PERMITS + ", but it is " + permits);
        }
        if (per.compareTo(SHORTEST) < 0 || per.compareTo(LONGEST) > 0 || per.toNanosPart() != 0) {
            throw ConfigException.at(
                    "per",
                    "expected whole seconds, " + Durations.text(SHORTEST) + " to " + Durations.text(LONGEST)
                            + ", but it is " + Durations.text(per));
        }
    }

    /** The tiers that there are without a word in the configuration, by name. */
    public static Map<String, Tier> defaults() {
        Map<String, Tier> tiers = new LinkedHashMap<>();
        Duration minute = Duration.ofMinutes(1);
        for (Tier tier : new Tier[] {
            new Tier(ANONYMOUS, 100, minute),
            new Tier(FREE, 1_000, minute),
            new Tier("pro", 10_000, minute),
            new Tier("enterprise", 100_000, minute)
        }) {
            tiers.put(tier.name(), tier);
        }
        return tiers;
    }
}
