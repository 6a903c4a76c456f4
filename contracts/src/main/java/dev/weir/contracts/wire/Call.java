package dev.weir.contracts.wire;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The call to make, ready to be sent: the ingress has checked it and turned the client's body into the bytes that go out.
 *
 * @param method an HTTP method, upper case
 * @param path starts with {@code /}, may carry a query; the upstream's base URL stands before it
 * @param headers the client's own, {@code Content-Type} among them when there is a body
 * @param body the body when it is text, sent as UTF-8
 * @param bodyBase64 the body when it is no text; at most one of the two is set
 */
public record Call(
        String method,
        String path,
        Map<String, String> headers,
        @Nullable String body,
        @Nullable String bodyBase64) {
    public Call {
        Objects.requireNonNull(method, "method");
        Objects.requireNonNull(path, "path");
        headers = Map.copyOf(headers);
        if (body != null && bodyBase64 != null) {
            throw new IllegalArgumentException("a call has a text body or a base64 body, not both");
        }
    }

    /** The bytes to send, or null when the call has no body. */
    public byte @Nullable [] bodyBytes() {
        if (body != null) {
            return body.getBytes(StandardCharsets.UTF_8);
        }
        return bodyBase64 == null ? null : Base64.getDecoder().decode(bodyBase64);
    }
}
