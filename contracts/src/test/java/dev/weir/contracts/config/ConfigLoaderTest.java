package dev.weir.contracts.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.math.BigDecimal;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigLoaderTest {
    private static final String LEAST = """
            upstreams:
              gemini:
                baseUrl: http://127.0.0.1:9911
                limits: [{ permits: 1000, per: 1m }]
            """;
    private static final String GEMINI = "upstreams:\n  gemini:\n    ";

    @TempDir
    Path dir = Path.of("");

    @Test
    void shouldFillInEveryDefault_whenOnlyTheRequiredKeysAreThere() {
        WeirConfig config = load(LEAST);

        assertThat(config)
                .isEqualTo(new WeirConfig(
                        Map.of(
                                "gemini",
                                new UpstreamConfig(
                                        "gemini",
                                        URI.create("http://127.0.0.1:9911"),
                                        new UpstreamSettings(
                                                List.of(new Limit(1000, Duration.ofMinutes(1))),
                                                new BigDecimal("0.9"),
                                                15,
                                                300,
                                                Duration.ofSeconds(3),
                                                Duration.ofSeconds(30),
                                                new RetrySettings(
                                                        List.of(Duration.ofMinutes(5), Duration.ofMinutes(15))),
                                                new CircuitBreakerSettings(5, Duration.ofSeconds(30), 3),
                                                new Weights(Map.of(), new Weights.Priorities(4, 2, 1))),
                                        null)),
                        1024 * 1024,
                        Clients.NONE,
                        new ResultsSettings(1024 * 1024, Duration.ofDays(30)),
                        new DatabaseSettings(90, 3, 5)));
    }

    @Test
    void shouldReadEveryKey_whenTheFileSetsThemAll() {
        WeirConfig config = load("""
                maxBodyBytes: 2048
                results: { maxAnswerBytes: 4096, retention: 7d }
                database: { connections: 200, perDispatcher: 2, perStatus: 9 }
                upstreams:
                  gemini:
                    baseUrl: https://api.example/base
                    limits:
                      - { permits: 1000,   per: 1m }
                      - { permits: 50000,  per: PT1H }
                      - { permits: 500000, per: 1d }
                    utilization: 0.8
                    burst: 3
                    maxInFlight: 7
                    permitTtl: 1500ms
                    timeout: 2m
                    retry: { delays: [1s, 2h] }
                    circuitBreaker: { failures: 2, open: 10s, probes: 1 }
                    weights: { tenants: { acme: 3 }, priorities: { high: 9 } }
                    auth: { header: x-goog-api-key, value: "${env:GEMINI_API_KEY}" }
                  other-1:
                    baseUrl: http://other
                    limits: [{ permits: 1, per: 100ms }]
                    utilization: 1
                """, Map.of("GEMINI_API_KEY", "s3cret"));

        UpstreamConfig gemini = upstream(config, "gemini");
        assertThat(config.maxBodyBytes()).isEqualTo(2048);
        assertThat(config.results()).isEqualTo(new ResultsSettings(4096, Duration.ofDays(7)));
        assertThat(config.database()).isEqualTo(new DatabaseSettings(200, 2, 9));
        assertThat(config.upstreams().keySet()).containsExactly("gemini", "other-1");
        assertThat(gemini.baseUrl()).isEqualTo(URI.create("https://api.example/base"));
        assertThat(gemini.settings().limits())
                .containsExactly(
                        new Limit(1000, Duration.ofMinutes(1)),
                        new Limit(50_000, Duration.ofHours(1)),
                        new Limit(500_000, Duration.ofDays(1)));
        assertThat(gemini.settings().utilization()).isEqualByComparingTo("0.8");
        assertThat(gemini.settings().burst()).isEqualTo(3);
        assertThat(gemini.settings().maxInFlight()).isEqualTo(7);
        assertThat(gemini.settings().permitTtl()).isEqualTo(Duration.ofMillis(1500));
        assertThat(gemini.settings().timeout()).isEqualTo(Duration.ofMinutes(2));
        assertThat(gemini.settings().retry().delays()).containsExactly(Duration.ofSeconds(1), Duration.ofHours(2));
        assertThat(gemini.settings().circuitBreaker())
                .isEqualTo(new CircuitBreakerSettings(2, Duration.ofSeconds(10), 1));
        assertThat(gemini.settings().weights())
                .isEqualTo(new Weights(Map.of("acme", 3), new Weights.Priorities(9, 2, 1)));
        assertThat(gemini.auth()).satisfies(auth -> {
            assertThat(auth.header()).isEqualTo("x-goog-api-key");
            assertThat(auth.value().reveal()).isEqualTo("s3cret");
        });
        assertThat(upstream(config, "other-1").settings().utilization()).isEqualByComparingTo("1");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "utilisation: 0.9            | upstreams.gemini.utilisation: unknown key; did you mean utilization?",
                "maxinflight: 3              | upstreams.gemini.maxinflight: unknown key; did you mean maxInFlight?",
                "zzzzzz: 3                   | upstreams.gemini.zzzzzz: unknown key; expected one of baseUrl, limits",
                "retry: { delay: [1s] }      | upstreams.gemini.retry.delay: unknown key; did you mean delays?",
                "utilization: 1.1            | upstreams.gemini.utilization: expected more than 0, up to 1, but it is 1.1",
                "utilization: much           | upstreams.gemini.utilization: expected a number such as 0.9, but it is much",
                "utilization: 0.0001         | upstreams.gemini.limits: 1000 per PT1M at utilization 0.0001 leaves no permit",
                "burst: -1                   | upstreams.gemini.burst: expected 0 to 100000, but it is -1",
                "burst: 1.5                  | upstreams.gemini.burst: expected a whole number, but it is 1.5",
                "burst: [1]                  | upstreams.gemini.burst: expected a single value, but it is a list",
                "maxInFlight: 0              | upstreams.gemini.maxInFlight: expected 1 to 20000, but it is 0",
                "maxInFlight: 99999999999    | upstreams.gemini.maxInFlight: expected -2147483648 to 2147483647",
                "permitTtl: 3                | upstreams.gemini.permitTtl: expected a duration such as 100ms, 3s",
                "permitTtl: 1ms              | upstreams.gemini.permitTtl: expected 100ms to 10m",
                "timeout: 2h                 | upstreams.gemini.timeout: expected 100ms to 1h",
                "retry: 5m                   | upstreams.gemini.retry: expected a section with the keys delays",
                "retry: { delays: 5m }       | upstreams.gemini.retry.delays: expected a list of durations",
                "retry: { delays: [5m, x] }  | upstreams.gemini.retry.delays[1]: expected a duration",
                "retry: { delays: [9d] }     | upstreams.gemini.retry.delays: expected 0s to PT72H each",
                "circuitBreaker: { open: 1 } | upstreams.gemini.circuitBreaker.open: expected a duration",
                "circuitBreaker: { probes: 0 } | upstreams.gemini.circuitBreaker.probes: expected 1 to 1000, but it is 0",
                "weights: { tenants: { acme: 0 } } | upstreams.gemini.weights.tenants.acme: expected a weight of 1 to 1000, but it is 0",
                "weights: { tenants: [acme] } | upstreams.gemini.weights.tenants: expected weights by tenant",
                "weights: { priorities: { hihg: 1 } } | upstreams.gemini.weights.priorities.hihg: unknown key; did you mean high?",
                "auth: { header: x-key }     | upstreams.gemini.auth.value: missing; expected a secret",
                "auth: { header: x-key, value: '${env:NOT_SET}' } | upstreams.gemini.auth.value: the environment variable NOT_SET that it names is not set",
                "auth: { header: x-key, value: '${file:/not/there}' } | upstreams.gemini.auth.value: the file /not/there that it names cannot be read",
                "auth: { header: 'x key', value: 'hidden' } | upstreams.gemini.auth: cannot be sent as a header",
                "timeout: ${vault:x}         | upstreams.gemini.timeout: expected ${env:NAME} or ${file:/path}"
            })
    void shouldNameTheKeyAndWhatWasExpected_whenAnUpstreamsValueIsBad(String line, String message) {
        assertThat(problem(LEAST + "    " + line)).startsWith(file() + ": " + message);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "limits: []                                | upstreams.gemini.limits: expected a list of at least one limit",
                "limits: 7                                 | upstreams.gemini.limits: expected a list of at least one limit",
                "limits: [{ permits: 1 }]                  | upstreams.gemini.limits[0].per: missing; expected a duration",
                "limits: [{ permits: 1, per: 1s }, 7]      | upstreams.gemini.limits[1]: expected a section with the keys permits, per",
                "limits: [{ permits: 0, per: 1m }]         | upstreams.gemini.limits[0].permits: expected 1 to 10000000, but it is 0",
                "limits: [{ permits: x, per: 1m }]         | upstreams.gemini.limits[0].permits: expected a whole number, but it is x",
                "limits: [{ permits: 5, per: 1month }]     | upstreams.gemini.limits[0].per: expected a duration such as 100ms, 3s, 5m, 1h, 1d or PT1M, but it is 1month",
                "limits: [{ permits: 5, per: 50ms }]       | upstreams.gemini.limits[0].per: expected PT0.1S",
                "limits: [{ permits: 5, every: 1m }]       | upstreams.gemini.limits[0].every: unknown key",
                "limits: [{ permits: 5, per: 1m }, { permits: 6, per: 60s }] | upstreams.gemini.limits: expected one limit for each window"
            })
    void shouldNameTheItem_whenALimitIsBad(String limits, String message) {
        assertThat(problem(GEMINI + "baseUrl: http://x\n    " + limits)).startsWith(file() + ": " + message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://x", "x", "http://u:p@x", "http://x?q", "http://x#f", "'http://a b'", "http:///x"})
    void shouldRefuseTheBaseUrl_whenItIsNone(String url) {
        assertThat(problem(GEMINI + "baseUrl: " + url + "\n    limits: [{ permits: 1000, per: 1m }]"))
                .startsWith(file() + ": upstreams.gemini.baseUrl: expected http(s)://host[:port][/path]");
    }

    @ParameterizedTest
    @CsvSource({
        "http://bob:sw0rdfish@api, has a user",
        "http://sw0rdfish@a_b, has a user",
        "http://api/x?key=sw0rdfish, has a query",
        "http://api#sw0rdfish, has a fragment",
        "sw0rdfish, does not start with",
        "http://bob:sw0rdfish, has no host",
        "http://bob:sw0rdfish @api, it is no URI"
    })
    void shouldNotShowTheBaseUrl_whenItIsBad(String url, String reason) {
        String limits = "\n    limits: [{ permits: 1000, per: 1m }]";

        assertThat(problem(GEMINI + "baseUrl: '" + url + "'" + limits))
                .contains("upstreams.gemini.baseUrl")
                .contains(reason)
                .doesNotContain("sw0rdfish");
        assertThat(problem(LEAST, Map.of("WEIR_UPSTREAMS_GEMINI_BASEURL", url)))
                .contains("WEIR_UPSTREAMS_GEMINI_BASEURL")
                .contains(reason)
                .doesNotContain("sw0rdfish");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "upstream: {}               | upstream: unknown key; did you mean upstreams?",
                "upstreams: {}              | upstreams: expected at least one upstream under its name",
                "maxBodyBytes: 1            | maxBodyBytes: expected 1024 to 4194304, but it is 1"
            })
    void shouldNameTheKey_whenTheTopOfTheFileIsBad(String line, String message) {
        assertThat(problem(line)).contains(file() + ": " + message);
    }

    @Test
    void shouldNameTheUpstream_whenItsNameIsBad() {
        assertThat(problem(LEAST.replace("gemini", "Gemini")))
                .startsWith(file() + ": upstreams.Gemini: expected an upstream's name");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {"'upstreams: ['", "'a: 1\na: 2'", "''", "'just text'", "'a: 1\n---\nb: 2'", "'\ta: 1'"})
    void shouldSayWhatItIsNot_whenTheFileIsNoYamlMapping(String content) {
        assertThat(problem(content))
                .startsWith(file().toString())
                .contains("expected")
                .hasLineCount(1);
    }

    @Test
    void shouldReportEveryProblemAtOnce() {
        String message = problem("""
                upstreams:
                  a:
                    limits: [{ permits: 0, per: 1m }, { permits: 1, per: soon }]
                    bursts: 1
                    timeout: never
                  b: 7
                """);

        assertThat(message.lines())
                .hasSize(6)
                .anyMatch(l -> l.contains("upstreams.a.baseUrl: missing"))
                .anyMatch(l -> l.contains("upstreams.a.limits[0].permits: "))
                .anyMatch(l -> l.contains("upstreams.a.limits[1].per: "))
                .anyMatch(l -> l.contains("upstreams.a.bursts: unknown key"))
                .anyMatch(l -> l.contains("upstreams.a.timeout: "))
                .anyMatch(l -> l.contains("upstreams.b: expected a section"));
    }

    @Test
    void shouldSayThatThereIsNoFile_whenThereIsNone() {
        assertThatThrownBy(() -> ConfigLoader.load(dir.resolve("none.yaml"), Map.of()))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("none.yaml: there is no such file");
    }

    @ParameterizedTest
    @CsvSource({
        "WEIR_UPSTREAMS_GEMINI_MAXINFLIGHT, 42",
        "WEIR_UPSTREAMS_GEMINI_MAX_IN_FLIGHT, 42",
        "WEIR_UPSTREAMS_GEMINI_MAX_IN_FLIGHT, ${env:FORTY_TWO}"
    })
    void shouldTakeTheVariable_whenItNamesAKey(String variable, String value) {
        WeirConfig config = load(LEAST, Map.of(variable, value, "FORTY_TWO", "42"));

        assertThat(upstream(config, "gemini").settings().maxInFlight()).isEqualTo(42);
    }

    @Test
    void shouldTakeAVariableForEveryKey() {
        WeirConfig config = load(
                LEAST.replace("gemini", "my-api"),
                Map.ofEntries(
                        Map.entry("WEIR_MAX_BODY_BYTES", "4096"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_BASEURL", "http://x"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_LIMITS_0_PERMITS", "10"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_LIMITS_1_PERMITS", "20"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_LIMITS_1_PER", "1h"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_UTILIZATION", "1.0"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_BURST", "2"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_PERMIT_TTL", "1s"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_TIMEOUT", "5s"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_RETRY_DELAYS", "1s, 2s"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_CIRCUIT_BREAKER_FAILURES", "9"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_CIRCUITBREAKER_OPEN", "1s"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_CIRCUIT_BREAKER_PROBES", "4"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_AUTH_HEADER", "X-Key"),
                        Map.entry("WEIR_UPSTREAMS_MY_API_AUTH_VALUE", "k")));

        UpstreamConfig api = upstream(config, "my-api");
        assertThat(config.maxBodyBytes()).isEqualTo(4096);
        assertThat(api.baseUrl()).isEqualTo(URI.create("http://x"));
        assertThat(api.settings().limits())
                .containsExactly(new Limit(10, Duration.ofMinutes(1)), new Limit(20, Duration.ofHours(1)));
        assertThat(api.settings().utilization()).isEqualByComparingTo("1");
        assertThat(api.settings().burst()).isEqualTo(2);
        assertThat(api.settings().permitTtl()).isEqualTo(Duration.ofSeconds(1));
        assertThat(api.settings().timeout()).isEqualTo(Duration.ofSeconds(5));
        assertThat(api.settings().retry().delays()).containsExactly(Duration.ofSeconds(1), Duration.ofSeconds(2));
        assertThat(api.settings().circuitBreaker()).isEqualTo(new CircuitBreakerSettings(9, Duration.ofSeconds(1), 4));
        assertThat(api.auth())
                .satisfies(auth -> assertThat(auth.value().reveal()).isEqualTo("k"));
    }

    @Test
    void shouldTakeTheItemsInOrder_whenThereAreMoreThanTen() {
        Map<String, String> env = new java.util.HashMap<>();
        for (int i = 0; i < 12; i++) {
            env.put("WEIR_UPSTREAMS_GEMINI_RETRY_DELAYS_" + i, (i + 1) + "s");
        }

        assertThat(upstream(load(LEAST, env), "gemini").settings().retry().delays())
                .hasSize(12)
                .startsWith(Duration.ofSeconds(1))
                .endsWith(Duration.ofSeconds(12));
    }

    @Test
    void shouldNameTheVariable_whenItsValueIsBad() {
        assertThat(problem(LEAST, Map.of("WEIR_UPSTREAMS_GEMINI_BURST", "lots")))
                .isEqualTo(
                        "the environment variable WEIR_UPSTREAMS_GEMINI_BURST (upstreams.gemini.burst): expected a whole"
                                + " number, but it is lots");
        assertThat(problem(LEAST, Map.of("WEIR_UPSTREAMS_GEMINI_LIMITS_5_PER", "1m")))
                .contains("expected the items in order, but there is no item 4");
        assertThat(problem(LEAST, Map.of("WEIR_UPSTREAMS_GEMINI_RETRY", "[x"))).contains("expected YAML");
    }

    @Test
    void shouldRefuseTheVariable_whenItCanMeanTwoKeys() {
        String two = LEAST + "  a-b: { baseUrl: 'http://x', limits: [{ permits: 10, per: 1s }] }\n"
                + "  a_b: { baseUrl: 'http://x', limits: [{ permits: 10, per: 1s }] }\n";

        assertThat(problem(two, Map.of("WEIR_UPSTREAMS_A_B_BURST", "1")))
                .contains("WEIR_UPSTREAMS_A_B_BURST")
                .contains("upstreams.a-b.burst")
                .contains("upstreams.a_b.burst");
    }

    @Test
    void shouldWarn_whenAVariableNamesNoKey() throws IOException {
        Files.writeString(file(), LEAST);
        Map<String, String> env = Map.of(
                "WEIR_BURTS", "1",
                "WEIR_UPSTREAMS_OTHER_BURST", "1",
                "WEIR_PORT", "80",
                "WEIR_CONFIG", "x",
                "PATH", "/bin");

        ConfigLoader.Loaded loaded = ConfigLoader.loadWithWarnings(file(), env);

        assertThat(loaded.warnings())
                .hasSize(2)
                .anyMatch(w -> w.contains("WEIR_BURTS"))
                .anyMatch(w -> w.contains("WEIR_UPSTREAMS_OTHER_BURST"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"BURTS", "LIMITS_0_EVERY", "RETRY_DELAY", "AUTH_VALUE_2"})
    void shouldRefuseTheVariable_whenItNamesNoKeyOfAnUpstreamOfTheFile(String key) {
        assertThat(problem(LEAST, Map.of("WEIR_UPSTREAMS_GEMINI_" + key, "x")))
                .isEqualTo(
                        "the environment variable WEIR_UPSTREAMS_GEMINI_" + key + ": unknown key; upstream gemini has"
                                + " baseUrl, limits, utilization, burst, maxInFlight, permitTtl, timeout, retry, circuitBreaker, weights, auth,"
                                + " in a variable's name as in WEIR_UPSTREAMS_NAME_MAX_IN_FLIGHT");
    }

    @Test
    void shouldReadASecretFromAFile_withoutItsLastNewline() throws IOException {
        Path secret = dir.resolve("key");
        Files.writeString(secret, "from-a-file\n");

        WeirConfig config =
                load(LEAST + "    auth: { header: Authorization, value: \"Bearer ${file:" + secret + "}\" }\n");

        assertThat(upstream(config, "gemini").auth())
                .satisfies(auth -> assertThat(auth.value().reveal()).isEqualTo("Bearer from-a-file"));
        assertThat(config.toString()).doesNotContain("from-a-file");
    }

    @Test
    void shouldShowNoSecret_whenAValueThatCameFromOneIsBad() {
        Map<String, String> env = Map.of("X", "sw0rdfish");

        assertThat(problem(GEMINI + "baseUrl: http://x\n    limits: [{ permits: 1, per: \"${env:X}\" }]", env))
                .contains("limits[0].per", "***")
                .doesNotContain("sw0rdfish");
        assertThat(problem(GEMINI + "baseUrl: \"${env:X}\"\n    limits: [{ permits: 10, per: 1s }]", env))
                .contains("baseUrl: expected http(s)://host[:port][/path]")
                .doesNotContain("sw0rdfish");
        assertThat(problem(LEAST + "    auth: { header: X-Key, value: \"caf\u00e9-sw0rdfish\" }"))
                .doesNotContain("sw0rdfish");
    }

    private Path file() {
        return dir.resolve("weir.yaml");
    }

    private WeirConfig load(String yaml) {
        return load(yaml, Map.of());
    }

    private WeirConfig load(String yaml, Map<String, String> env) {
        try {
            Files.writeString(file(), yaml);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return ConfigLoader.load(file(), env);
    }

    private String problem(String yaml) {
        return problem(yaml, Map.of());
    }

    private String problem(String yaml, Map<String, String> env) {
        @Nullable ConfigException problem = catchThrowableOfType(ConfigException.class, () -> load(yaml, env));
        assertThat(problem).as("a problem with " + yaml).isNotNull();
        return String.valueOf(problem == null ? null : problem.getMessage());
    }

    private static UpstreamConfig upstream(WeirConfig config, String name) {
        UpstreamConfig upstream = config.upstreams().get(name);
        assertThat(upstream).as(name).isNotNull();
        return java.util.Objects.requireNonNull(upstream);
    }
}
