package dev.weir.ingress;

import com.fasterxml.jackson.core.JsonToken;
import dev.weir.contracts.http.CallRules;
import dev.weir.ingress.JsonFields.Value;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a call sends: JSON as it stood in the submission, a string under another {@code Content-Type} as it is, or bytes.
 *
 * @param headers the client's own, and a {@code Content-Type} when there is a body and the client named none
 */
record CallBody(
        Map<String, String> headers,
        @Nullable String text,
        @Nullable String base64) {
    private static final String CONTENT_TYPE = "Content-Type";
    private static final Pattern CHARSET =
            Pattern.compile(";\\s*charset\\s*=\\s*\"?([^\\s;\"]+)", Pattern.CASE_INSENSITIVE);

    /** The headers that have a string for a value; the others were reported. */
    record Headers(Map<String, String> values) {}

    static Headers headers(@Nullable Value value, BiConsumer<String, String> error) {
        Map<String, String> headers = new LinkedHashMap<>();
        if (value == null) {
            return new Headers(headers);
        }
        Map<String, Value> fields = value.fields();
        if (fields == null) {
            error.accept("/request/headers", "expected an object, but it is " + value.kind());
            return new Headers(headers);
        }
        fields.forEach((name, header) -> {
            if (header.token() == JsonToken.VALUE_STRING) {
                headers.put(name, header.text());
            } else {
                error.accept(
                        "/request/headers/" + CallRules.escape(name), "expected a string, but it is " + header.kind());
            }
        });
        return new Headers(headers);
    }

    /** The body; null when it is wrong, which was then reported. */
    static @Nullable CallBody of(
            @Nullable Value body,
            @Nullable Value base64,
            Map<String, String> headers,
            BiConsumer<String, String> error) {
        String contentType = null;
        for (Map.Entry<String, String> header : headers.entrySet()) {
            if (contentType == null && header.getKey().equalsIgnoreCase(CONTENT_TYPE)) {
                contentType = header.getValue();
            }
        }
        if (body != null && base64 != null) {
            error.accept("/request/bodyBase64", "expected body or bodyBase64, not both");
            return null;
        }
        if (base64 != null) {
            return bytes(base64, headers, contentType, error);
        }
        if (body == null) {
            return new CallBody(headers, null, null);
        }
        if (contentType == null || isJson(contentType)) {
            String bad = contentType == null ? null : charsetProblem(contentType);
            if (bad != null) {
                error.accept("/request/headers/" + CONTENT_TYPE, bad);
                return null;
            }
            return new CallBody(withType(headers, contentType, "application/json"), body.raw(), null);
        }
        if (body.token() != JsonToken.VALUE_STRING) {
            error.accept(
                    "/request/body", "expected a string, because Content-Type is not JSON, but it is " + body.kind());
            return null;
        }
        String bad = charsetProblem(contentType);
        if (bad == null && !isUnicode(body.text())) {
            bad = "expected valid Unicode, but there is half of a surrogate pair; bytes go into bodyBase64";
        }
        if (bad != null) {
            error.accept("/request/body", bad);
            return null;
        }
        return new CallBody(headers, body.text(), null);
    }

    private static @Nullable CallBody bytes(
            Value base64, Map<String, String> headers, @Nullable String contentType, BiConsumer<String, String> error) {
        if (base64.token() != JsonToken.VALUE_STRING) {
            error.accept("/request/bodyBase64", "expected a string, but it is " + base64.kind());
            return null;
        }
        try {
            // Encoded anew, so that what stands in the topics has one form only.
            String canonical =
                    Base64.getEncoder().encodeToString(Base64.getDecoder().decode(base64.text()));
            return new CallBody(withType(headers, contentType, "application/octet-stream"), null, canonical);
        } catch (IllegalArgumentException e) {
            error.accept("/request/bodyBase64", "expected base64 (RFC 4648, the alphabet with + and /)");
            return null;
        }
    }

    private static Map<String, String> withType(
            Map<String, String> headers, @Nullable String contentType, String otherwise) {
        if (contentType != null) {
            return headers;
        }
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(CONTENT_TYPE, otherwise);
        return more;
    }

    private static boolean isJson(String contentType) {
        String type = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
        return type.equals("application/json") || type.endsWith("+json");
    }

    private static @Nullable String charsetProblem(String contentType) {
        Matcher charset = CHARSET.matcher(contentType);
        if (charset.find() && !charset.group(1).equalsIgnoreCase("utf-8")) {
            return "text goes out as UTF-8, but Content-Type says charset " + charset.group(1)
                    + "; put the bytes into bodyBase64";
        }
        return null;
    }

    private static boolean isUnicode(String text) {
        try {
            StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }
}
