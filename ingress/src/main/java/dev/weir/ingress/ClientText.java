package dev.weir.ingress;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.stream.Collectors;

/** What is shown of texts that may be long, or broken: what a client wrote can be repeated in an answer. */
final class ClientText {
    private static final int MOST_CHARS = 160;
    private static final int MOST_NAMES = 20;

    private ClientText() {}

    static String cut(String text) {
        return writable(text.length() <= MOST_CHARS ? text : text.substring(0, MOST_CHARS) + "…");
    }

    static String listed(Collection<String> names) {
        return names.stream().limit(MOST_NAMES).collect(Collectors.joining(", "))
                + (names.size() > MOST_NAMES ? ", …" : "");
    }

    /** It may hold half of a surrogate pair, which an answer in UTF-8 cannot carry. */
    static String writable(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }
}
