package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The upstream's answer as a client sees it.
 *
 * @param body the JSON value when the answer is JSON, else the text; null when it is no text
 * @param bodyBase64 the bytes when they are no text
 * @param cut true when the answer was longer than what Weir keeps; absent else
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
record JobResult(
        int status,
        Map<String, String> headers,
        @Nullable Object body,
        @Nullable String bodyBase64,
        @Nullable Boolean cut) {
    JobResult {
        headers = Map.copyOf(headers);
    }
}
