package dev.weir.contracts.wire;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the upstream answered.
 *
 * @param headers names in lower case; repeated ones joined by {@code ", "}
 * @param body the body when it is text
 * @param bodyBase64 the body when it is no text; at most one of the two is set
 * @param cut whether the body was longer than the cap and ends there
 */
public record Answer(
        int status,
        Map<String, String> headers,
        @Nullable String body,
        @Nullable String bodyBase64,
        boolean cut) {
    public Answer {
        headers = Map.copyOf(headers);
    }

    public @Nullable String header(String lowerCaseName) {
        return headers.get(lowerCaseName);
    }
}
