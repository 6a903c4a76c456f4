package dev.weir.ingress;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a client prefers, RFC 7240: {@code wait=N} and {@code respond-async}. Others, and what cannot be read, are passed
 * over, as the standard wants it.
 *
 * @param patience how long to wait for the end of the job, at most {@link #LONGEST_WAIT}; null when that was not asked for
 */
record Preference(@Nullable Duration patience, boolean respondAsync) {
    /** Well below the time after which the HTTP server gives an answer up. */
    static final Duration LONGEST_WAIT = Duration.ofSeconds(60);

    static final Preference NONE = new Preference(null, false);
    private static final Pattern SECONDS = Pattern.compile("[0-9]{1,9}");
    /** More are not looked at. */
    private static final int MOST_LOOKED_AT = 16;

    /** @param headers the values of {@code Prefer}, in order; of a preference that is there twice the first counts */
    static Preference of(List<String> headers) {
        Map<String, String> named = new HashMap<>();
        for (String header : headers) {
            for (String one : parts(header, ',')) {
                String first = parts(one, ';').get(0);
                int equals = first.indexOf('=');
                String name = (equals < 0 ? first : first.substring(0, equals)).strip();
                named.putIfAbsent(
                        name.toLowerCase(Locale.ROOT),
                        equals < 0 ? "" : first.substring(equals + 1).strip());
            }
        }
        return new Preference(seconds(named.get("wait")), named.containsKey("respond-async"));
    }

    /** Cut at a mark, where it does not stand within quotes. */
    private static List<String> parts(String text, char mark) {
        List<String> parts = new ArrayList<>();
        boolean quoted = false;
        int from = 0;
        for (int i = 0; i < text.length() && parts.size() < MOST_LOOKED_AT; i++) {
            char c = text.charAt(i);
            if (quoted && c == '\\') {
                i++;
            } else if (c == '"') {
                quoted = !quoted;
            } else if (c == mark && !quoted) {
                parts.add(text.substring(from, i));
                from = i + 1;
            }
        }
        parts.add(text.substring(from));
        return parts;
    }

    private static @Nullable Duration seconds(@Nullable String value) {
        if (value == null) {
            return null;
        }
        String bare = value.length() >= 2 && value.startsWith("\"") ? value.substring(1, value.length() - 1) : value;
        if (!SECONDS.matcher(bare).matches()) {
            return null;
        }
        Duration asked = Duration.ofSeconds(Long.parseLong(bare));
        return asked.compareTo(LONGEST_WAIT) > 0 ? LONGEST_WAIT : asked;
    }

    /** The value of {@code Preference-Applied}; null when nothing was applied. */
    @Nullable
    String applied(boolean waited) {
        List<String> applied = new ArrayList<>();
        if (respondAsync) {
            applied.add("respond-async");
        }
        if (waited && patience != null) {
            applied.add("wait=" + patience.toSeconds());
        }
        return applied.isEmpty() ? null : String.join(", ", applied);
    }
}
