package dev.weir.contracts.config;

import java.time.Duration;
import java.util.List;

/** How long a failed job waits before its next attempts; when the list is used up, it goes to the dead letters. */
public record RetrySettings(List<Duration> delays) {
    public static final int MOST_DELAYS = 50;
    public static final Duration LONGEST = Duration.ofDays(3);
    /** Stands after the bounds that its own check reads. */
    public static final RetrySettings DEFAULT =
            new RetrySettings(List.of(Duration.ofMinutes(5), Duration.ofMinutes(15)));

    public RetrySettings {
        delays = List.copyOf(delays);
        if (delays.size() > MOST_DELAYS) {
            throw ConfigException.at(
                    "delays", "expected at most " + MOST_DELAYS + " delays, but there are " + delays.size());
        }
        for (Duration delay : delays) {
            if (delay.isNegative() || delay.compareTo(LONGEST) > 0) {
                throw ConfigException.at("delays", "expected 0s to " + LONGEST + " each, but one is " + delay);
            }
        }
    }
}
