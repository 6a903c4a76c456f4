package dev.weir.contracts.config;

import dev.weir.contracts.http.CallRules;
import dev.weir.contracts.http.Problem.FieldError;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The header that authenticates Weir with the upstream; put in by the dispatcher at the last moment, in no topic ever. */
public record AuthSettings(String header, Secret value) {

    /** Why no call could carry this header, without showing its value; null when it can. */
    static @Nullable String problem(String header, String value) {
        if (value.isEmpty()) {
            return "expected a secret, but it is empty";
        }
        List<FieldError> bad = CallRules.headers(Map.of(header, value), null);
        return bad.isEmpty()
                ? null
                : "cannot be sent as a header: " + bad.get(0).detail();
    }
}
