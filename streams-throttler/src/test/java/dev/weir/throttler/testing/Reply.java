package dev.weir.throttler.testing;

import dev.weir.contracts.wire.Answer;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What becomes of a call.
 *
 * @param answer the upstream's; null when there is none
 * @param lost whether nobody ever learns what became of it
 */
public record Reply(@Nullable Answer answer, boolean lost) {
    /** The upstream answers with this status. */
    public static Reply of(int status) {
        return of(status, Map.of());
    }

    /** @param headers names in lower case */
    public static Reply of(int status, Map<String, String> headers) {
        return new Reply(new Answer(status, headers, "{}", null, false), false);
    }

    /** 429 with this many seconds of {@code Retry-After}. */
    public static Reply retryAfter(Duration wait) {
        return of(429, Map.of("retry-after", Long.toString(wait.toSeconds())));
    }

    /** The connection breaks: no answer. */
    public static Reply failure() {
        return new Reply(null, false);
    }

    /** The call is made, and its outcome never written. */
    public static Reply loss() {
        return new Reply(null, true);
    }
}
