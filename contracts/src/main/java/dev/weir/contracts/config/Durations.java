package dev.weir.contracts.config;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Durations as people write them: {@code 100ms}, {@code 3s}, {@code 5m}, {@code 1h}, {@code 1d}, or ISO-8601. */
public final class Durations {
    public static final String EXPECTED = "a duration such as 100ms, 3s, 5m, 1h, 1d or PT1M";
    private static final Pattern SHORT = Pattern.compile("([0-9]{1,15})(ms|s|m|h|d)");

    private static final List<Unit> UNITS = List.of(
            new Unit("d", Duration.ofDays(1)),
            new Unit("h", Duration.ofHours(1)),
            new Unit("m", Duration.ofMinutes(1)),
            new Unit("s", Duration.ofSeconds(1)),
            new Unit("ms", Duration.ofMillis(1)));

    private record Unit(String name, Duration length) {}

    private Durations() {}

    /** The duration; null when the text is none. */
    public static @Nullable Duration parse(String text) {
        Matcher matcher = SHORT.matcher(text);
        try {
            if (!matcher.matches()) {
                return Duration.parse(text);
            }
            long number = Long.parseLong(matcher.group(1));
            return switch (matcher.group(2)) {
                case "ms" -> Duration.ofMillis(number);
                case "s" -> Duration.ofSeconds(number);
                case "m" -> Duration.ofMinutes(number);
                case "h" -> Duration.ofHours(number);
                default -> Duration.ofDays(number);
            };
        } catch (DateTimeParseException | ArithmeticException e) {
            return null;
        }
    }

    /** As a person would write it: {@code 1m}, {@code 90s}; ISO-8601 when it has no such form. */
    public static String text(Duration duration) {
        if (duration.isZero()) {
            return "0s";
        }
        for (Unit unit : UNITS) {
            if (!duration.isNegative() && duration.toNanos() % unit.length().toNanos() == 0) {
                return duration.toNanos() / unit.length().toNanos() + unit.name();
            }
        }
        return duration.toString();
    }
}
