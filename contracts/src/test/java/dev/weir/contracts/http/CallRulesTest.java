package dev.weir.contracts.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.http.Problem.FieldError;
import dev.weir.contracts.wire.Call;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CallRulesTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "/",
                "/v1/models",
                "/v1beta/models/x:generateContent?alt=json",
                "/a//b",
                "/a/.well-known/..hidden/x..y/...",
                "/caf%C3%A9?q=%2e%2e/%0a&path=a%2Fb",
                "/a?filter[x]=1&u=http://other/../x?y",
                "/a;v=1/b@c!$&'()*+,="
            })
    void shouldAcceptThePath_whenItStaysBelowTheBaseUrl(String path) {
        assertThat(CallRules.path(path)).isNull();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "v1/models              | starts with /",
                "http://other/x         | starts with /",
                "''                     | starts with /",
                "//other/x              | names another host",
                "/..                    | no . or .. segments",
                "/a/../b                | no . or .. segments",
                "/a/./b                 | no . or .. segments",
                "/a/..?q=1              | no . or .. segments",
                "/%2e%2E/b              | no . or .. segments",
                "/a/.%2e                | no . or .. segments",
                "/a%2f..%2fb            | percent-encoded slash",
                "/a%5c..%5Cb            | percent-encoded slash",
                "/a%2Fb?q=%2F           | percent-encoded slash",
                "/a%252fb               | percent-encoded slash",
                "/a%5Cb                 | percent-encoded slash",
                "user@other/x           | starts with /",
                "//user@other/x         | names another host",
                "/a/%252e%252e/b        | no . or .. segments",
                "/a/..;x=1/b            | no . or .. segments",
                "/a/..%3bx/b            | no . or .. segments",
                "/%25252525252e         | times over",
                "/a\\..\\b              | U+005C",
                "/a b                   | U+0020",
                "/a#b                   | fragment",
                "/a%00b                 | control characters",
                "/a%0d%0aHost:x         | control characters",
                "/a%250a                | control characters",
                "/a%2                   | two hexadecimal digits",
                "/a?q=%zz               | two hexadecimal digits",
                "/café                  | U+00E9",
                "/a[1]                  | U+005B",
                "/a{1}                  | U+007B"
            })
    void shouldRefuseThePath_whenItLeavesTheBaseUrlOrIsNoPath(String path, String reason) {
        assertThat(CallRules.path(path)).contains(reason);
    }

    @ParameterizedTest
    @ValueSource(strings = {"/a\r\nX: y", "/a\u0000", "/a\tb", "/a\u007f"})
    void shouldRefuseThePath_whenItHasControlCharacters(String path) {
        assertThat(CallRules.path(path)).contains("must be percent-encoded");
    }

    @Test
    void shouldBoundThePath() {
        assertThat(CallRules.path("/" + "a".repeat(CallRules.MAX_PATH_CHARS - 1)))
                .isNull();
        assertThat(CallRules.path("/" + "a".repeat(CallRules.MAX_PATH_CHARS))).contains("at most 8192 characters");
    }

    @ParameterizedTest
    @ValueSource(strings = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
    void shouldAcceptTheMethod_whenItIsAUsualOne(String method) {
        assertThat(CallRules.method(method)).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"get", "CONNECT", "TRACE", "", "GET /x"})
    void shouldRefuseTheMethod_whenItIsNot(String method) {
        assertThat(CallRules.method(method)).contains("expected one of GET, HEAD");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Host               | x     | belongs to the connection",
                "content-LENGTH     | 1     | belongs to the connection",
                "Transfer-Encoding  | x     | belongs to the connection",
                "Connection         | close | belongs to the connection",
                "Keep-Alive         | x     | belongs to the connection",
                "Proxy-Connection   | x     | belongs to the connection",
                "Proxy-Authenticate | x     | belongs to the connection",
                "Proxy-Authorization| x     | belongs to the connection",
                "TE                 | x     | belongs to the connection",
                "Trailer            | x     | belongs to the connection",
                "Upgrade            | x     | belongs to the connection",
                "HTTP2-Settings     | x     | belongs to the connection",
                "Expect             | x     | belongs to the connection",
                ":authority         | x     | expected a header name",
                "X-Job-Id           | x     | Weir sets this header",
                "Idempotency-Key    | x     | Weir sets this header",
                "x-attempt          | 1     | Weir sets this header",
                "traceparent        | x     | Weir sets this header",
                "X-Goog-Api-Key     | x     | the upstream's configuration sets this header",
                "bad name           | x     | expected a header name",
                "''                 | x     | expected a header name",
                "X-A                | caf\u00e9 | character 4 is U+00E9"
            })
    void shouldRefuseTheHeader_whenItIsNotTheJobsToSet(String name, String value, String reason) {
        assertThat(CallRules.headers(Map.of(name, value), "x-goog-api-key"))
                .singleElement()
                .satisfies(error -> assertThat(error.detail()).contains(reason));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a\r\nb", "a\nb", "a\u0000", " a", "a ", "\ta"})
    void shouldRefuseTheHeader_whenItsValueCouldEndIt(String value) {
        assertThat(CallRules.headers(Map.of("X-A", value), null)).hasSize(1);
    }

    @Test
    void shouldBoundTheHeaders() {
        Map<String, String> many = new LinkedHashMap<>();
        for (int i = 0; i <= CallRules.MAX_HEADERS; i++) {
            many.put("X-" + i, "v");
        }

        assertThat(CallRules.headers(many, null))
                .extracting(FieldError::pointer)
                .containsExactly("/request/headers");
        assertThat(CallRules.headers(Map.of("X-A", "v".repeat(CallRules.MAX_HEADER_CHARS)), null))
                .extracting(FieldError::pointer)
                .containsExactly("/request/headers");
    }

    @Test
    void shouldReportEverythingAtOnce_withItsPointer() {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("x/y~z", "v");
        headers.put("X-A", "1");
        headers.put("x-a", "2");
        Call call = new Call("TRACE", "x", headers, null, null);

        assertThat(CallRules.check(call, null))
                .extracting(FieldError::pointer)
                .containsExactlyInAnyOrder(
                        "/request/method",
                        "/request/path",
                        "/request/headers/x~1y~0z",
                        // Call copies the map without its order: either of the two is the second
                        call.headers().keySet().stream()
                                .filter(n -> n.equalsIgnoreCase("x-a"))
                                .skip(1)
                                .map(n -> "/request/headers/" + n)
                                .findFirst()
                                .orElseThrow());
    }

    @Test
    void shouldFindNothing_whenTheCallIsSound() {
        Call call = new Call(
                "POST", "/v1/x", Map.of("Content-Type", "application/json", "X-Trace", "a, b;c=\"d\""), "{}", null);

        assertThat(CallRules.check(call, "Authorization")).isEmpty();
    }
}
