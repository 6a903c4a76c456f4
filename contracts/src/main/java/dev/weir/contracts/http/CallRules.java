package dev.weir.contracts.http;

import dev.weir.contracts.http.Problem.FieldError;
import dev.weir.contracts.wire.Call;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a call may look like so that it stays below the upstream's base URL and carries only what its sender may decide. The
 * ingress refuses what breaks a rule; the dispatcher checks again before it calls. Pure.
 *
 * <p>A path is also judged in its percent-decoded forms, because the servers behind a base URL differ in how often they
 * decode and in what they take for a separator.
 */
public final class CallRules {
    public static final List<String> METHODS = List.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS");
    public static final int MAX_PATH_CHARS = 8192;
    public static final int MAX_HEADERS = 64;
    public static final int MAX_HEADER_NAME_CHARS = 128;
    /** Of all names and values together. */
    public static final int MAX_HEADER_CHARS = 16 * 1024;

    /** More rounds of decoding than any chain of proxies makes; a path that still changes after them is refused. */
    private static final int MAX_DECODE_ROUNDS = 4;

    private static final Set<String> SET_BY_WEIR = Set.of("x-job-id", "idempotency-key", "x-attempt", "traceparent");
    private static final Set<String> OF_THE_CONNECTION = Set.of(
            "connection",
            "content-length",
            "expect",
            "host",
            "http2-settings",
            "keep-alive",
            "proxy-authenticate",
            "proxy-authorization",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade");
    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
    /** Some servers cut parameters off a segment before they look at it. */
    private static final Pattern DOT_SEGMENT = Pattern.compile("(?:^|[/\\\\])\\.\\.?(?:[;/\\\\]|\\z)");
    /** What RFC 3986 allows in a path, after the percent sign was looked at. */
    private static final String PATH_MARKS = "-._~!$&'()*+,;=:@/%";

    private static final String QUERY_MARKS = PATH_MARKS + "?[]";

    private CallRules() {}

    /**
     * Everything that is wrong with a call; empty when nothing is.
     *
     * @param authHeader the header that the upstream's own configuration sets, if any: a job may not set it
     */
    public static List<FieldError> check(Call call, @Nullable String authHeader) {
        List<FieldError> errors = new ArrayList<>();
        String method = method(call.method());
        if (method != null) {
            errors.add(new FieldError("/request/method", method));
        }
        String path = path(call.path());
        if (path != null) {
            errors.add(new FieldError("/request/path", path));
        }
        errors.addAll(headers(call.headers(), authHeader));
        return errors;
    }

    /** What is wrong with a method; null when nothing is. */
    public static @Nullable String method(String method) {
        return METHODS.contains(method) ? null : "expected one of " + String.join(", ", METHODS);
    }

    /** What is wrong with a path and its query; null when nothing is. */
    public static @Nullable String path(String path) {
        if (!path.startsWith("/")) {
            return "expected a path that starts with /, without scheme and host; the upstream's base URL stands before it";
        }
        if (path.length() > MAX_PATH_CHARS) {
            return "expected at most " + MAX_PATH_CHARS + " characters, but there are " + path.length();
        }
        if (path.startsWith("//")) {
            return "expected a path; one that starts with // names another host";
        }
        String bad = characters(path);
        if (bad != null) {
            return bad;
        }
        int query = path.indexOf('?');
        String segments = query < 0 ? path : path.substring(0, query);
        bad = segments(segments);
        if (bad != null) {
            return bad;
        }
        try {
            new URI("http://upstream.invalid" + path);
        } catch (URISyntaxException e) {
            return "expected a path as in a URI: " + e.getReason() + " at index "
                    + (e.getIndex() - "http://upstream.invalid".length());
        }
        return null;
    }

    /** What is wrong with the headers, each under its own pointer. */
    public static List<FieldError> headers(Map<String, String> headers, @Nullable String authHeader) {
        List<FieldError> errors = new ArrayList<>();
        if (headers.size() > MAX_HEADERS) {
            errors.add(new FieldError(
                    "/request/headers",
                    "expected at most " + MAX_HEADERS + " headers, but there are " + headers.size()));
            return errors;
        }
        Set<String> seen = new HashSet<>();
        long chars = 0;
        for (Map.Entry<String, String> header : headers.entrySet()) {
            chars += header.getKey().length() + header.getValue().length();
            String bad = header(header.getKey(), header.getValue(), authHeader);
            if (bad == null && !seen.add(header.getKey().toLowerCase(Locale.ROOT))) {
                bad = "this header is there twice; names are the same in upper and lower case";
            }
            if (bad != null) {
                errors.add(new FieldError("/request/headers/" + escape(header.getKey()), bad));
            }
        }
        if (chars > MAX_HEADER_CHARS) {
            errors.add(new FieldError(
                    "/request/headers",
                    "expected at most " + MAX_HEADER_CHARS + " characters in all names and values, but there are "
                            + chars));
        }
        return errors;
    }

    /** A name as one step of an RFC 6901 pointer. */
    public static String escape(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    private static @Nullable String header(String name, String value, @Nullable String authHeader) {
        if (name.length() > MAX_HEADER_NAME_CHARS || !TOKEN.matcher(name).matches()) {
            return "expected a header name of up to " + MAX_HEADER_NAME_CHARS
                    + " letters, digits and marks such as - and _";
        }
        String lower = name.toLowerCase(Locale.ROOT);
        if (OF_THE_CONNECTION.contains(lower)) {
            return "this header belongs to the connection, which is Weir's; leave it out";
        }
        if (SET_BY_WEIR.contains(lower)) {
            return "Weir sets this header on each call; leave it out";
        }
        if (authHeader != null && authHeader.equalsIgnoreCase(name)) {
            return "the upstream's configuration sets this header on each call; leave it out";
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if ((c < ' ' && c != '\t') || c > '~') {
                return String.format(
                        Locale.ROOT, "expected printable ASCII characters, but character %d is U+%04X", i + 1, (int) c);
            }
        }
        if (!value.equals(value.strip())) {
            return "expected no white space at the start or end";
        }
        return null;
    }

    private static @Nullable String characters(String path) {
        boolean inQuery = false;
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c == '#') {
                return "expected no fragment (#): it is never sent; write # as %23";
            }
            if (c == '%' && !(hex(path, i + 1) >= 0 && hex(path, i + 2) >= 0)) {
                return "expected two hexadecimal digits after the % at index " + i;
            }
            boolean allowed = (c >= 'a' && c <= 'z')
                    || (c >= 'A' && c <= 'Z')
                    || (c >= '0' && c <= '9')
                    || (inQuery ? QUERY_MARKS : PATH_MARKS).indexOf(c) >= 0;
            if (c == '?' && !inQuery) {
                inQuery = true;
            } else if (!allowed) {
                return String.format(
                        Locale.ROOT, "the character U+%04X at index %d must be percent-encoded", (int) c, i);
            }
        }
        return null;
    }

    private static @Nullable String segments(String path) {
        String form = path;
        for (int round = 0; round <= MAX_DECODE_ROUNDS; round++) {
            if (hasControls(form)) {
                return "expected no control characters, percent-encoded ones neither";
            }
            if (DOT_SEGMENT.matcher(form).find()) {
                return "expected no . or .. segments, percent-encoded ones neither: the path stays below the base URL";
            }
            String decoded = decode(form);
            if (decoded.equals(form)) {
                return null;
            }
            if (separators(decoded) != separators(form)) {
                return "expected no percent-encoded slash or backslash: some servers take it for a separator, others do not";
            }
            form = decoded;
        }
        return "percent-encoded more than " + MAX_DECODE_ROUNDS + " times over";
    }

    private static boolean hasControls(String path) {
        for (int i = 0; i < path.length(); i++) {
            if (path.charAt(i) < ' ' || path.charAt(i) == 0x7f) {
                return true;
            }
        }
        return false;
    }

    private static boolean isSeparator(char c) {
        return c == '/' || c == '\\';
    }

    private static long separators(String path) {
        return path.chars().filter(c -> isSeparator((char) c)).count();
    }

    /** One round of percent-decoding, each byte as one character: enough to see ASCII marks. */
    private static String decode(String path) {
        if (path.indexOf('%') < 0) {
            return path;
        }
        StringBuilder decoded = new StringBuilder(path.length());
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c == '%' && hex(path, i + 1) >= 0 && hex(path, i + 2) >= 0) {
                decoded.append((char) (hex(path, i + 1) * 16 + hex(path, i + 2)));
                i += 2;
            } else {
                decoded.append(c);
            }
        }
        return decoded.toString();
    }

    private static int hex(String text, int index) {
        return index < text.length() && text.charAt(index) < 0x80 ? Character.digit(text.charAt(index), 16) : -1;
    }
}
