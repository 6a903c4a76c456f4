package dev.weir.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.AuthSettings;
import dev.weir.contracts.config.Secret;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import io.javalin.Javalin;
import io.javalin.http.Context;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class UpstreamClientTest {
    private static final Duration TTL = Duration.ofSeconds(3);
    private static final Duration TIMEOUT = Duration.ofSeconds(10);
    private static final long PATIENCE_SECONDS = 20;

    private record Seen(String method, String uri, Map<String, String> headers, String body) {}

    private final Queue<Seen> seen = new ConcurrentLinkedQueue<>();
    private final InstantSource clock = new AnchoredClock();
    private final CountDownLatch release = new CountDownLatch(1);
    private @Nullable UpstreamClient client;
    private Javalin server = Javalin.create();

    @BeforeEach
    void startServer() {
        server = Javalin.create(config -> {
                    config.startup.showJavalinBanner = false;
                    config.http.maxRequestSize = 10_000_000;
                    config.routes.before(this::see);
                    config.routes.get("/base/redirect", ctx -> ctx.redirect("/base/ok"));
                    config.routes.get("/base/ok", ctx -> ctx.result("ok").header("X-Two", "a"));
                    config.routes.post(
                            "/base/ok",
                            ctx -> ctx.contentType("application/json").result("{\"snow\":\"\u2603\"}"));
                    config.routes.get(
                            "/base/cookie", ctx -> ctx.cookie("session", "1").result("ok"));
                    config.routes.get(
                            "/base/challenge",
                            ctx -> ctx.status(401)
                                    .header("WWW-Authenticate", "Basic realm=\"x\"")
                                    .result("who?"));
                    config.routes.get(
                            "/base/bytes",
                            ctx -> ctx.contentType("application/octet-stream").result(new byte[] {0, 1, (byte) 0xFF}));
                    config.routes.get(
                            "/base/nul", ctx -> ctx.contentType("text/plain").result("a\0b"));
                    config.routes.get(
                            "/base/large", ctx -> ctx.contentType("text/plain").result("x".repeat(3_000_000)));
                    config.routes.get(
                            "/base/bomb",
                            ctx -> ctx.contentType("text/plain")
                                    .header("Content-Encoding", "gzip")
                                    .result(gzip(50_000_000)));
                    config.routes.get("/base/slow", ctx -> {
                        assertThat(release.await(PATIENCE_SECONDS, TimeUnit.SECONDS))
                                .isTrue();
                        ctx.result("late");
                    });
                })
                .start("127.0.0.1", 0);
    }

    @AfterEach
    void stop() {
        release.countDown();
        if (client != null) {
            client.close();
        }
        server.stop();
    }

    @Test
    void shouldCarryTheJobAndTheSecret_whenItCalls() throws Exception {
        AuthSettings auth = new AuthSettings("x-goog-api-key", new Secret("s3cret"));
        Call call = new Call("POST", "/ok?alt=json&q=a%20b+c&e=", Map.of("X-Mine", "1"), "{\"a\":1.10}", null);

        Outcome outcome = call(base(10, auth), clock, permit(call));

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.ANSWERED);
        assertThat(answer(outcome).status()).isEqualTo(200);
        assertThat(answer(outcome).body()).isEqualTo("{\"snow\":\"\u2603\"}");
        assertThat(outcome.startedAt()).isBetween(outcome.slot(), outcome.endedAt());
        Seen one = onlyCall();
        assertThat(one.uri()).isEqualTo("/base/ok?alt=json&q=a%20b+c&e=");
        assertThat(one.body()).isEqualTo("{\"a\":1.10}");
        assertThat(one.headers())
                .containsEntry("x-job-id", outcome.jobId())
                .containsEntry("idempotency-key", outcome.jobId())
                .containsEntry("x-attempt", "2")
                .containsEntry("x-goog-api-key", "s3cret")
                .containsEntry("x-mine", "1")
                .containsEntry("content-type", "application/json")
                .containsEntry("user-agent", "Weir");
        assertThat(one.headers().get("traceparent")).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-00");
        assertThat(outcome.toString()).doesNotContain("s3cret");
    }

    @Test
    void shouldStayInTheTrace_whenTheSubmissionHadOne() throws Exception {
        Permit permit = permit(Upstreams.call("GET", "/ok", null));
        String parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

        call(base(10, null), clock, traced(permit, parent));

        assertThat(onlyCall().headers().get("traceparent"))
                .startsWith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
                .endsWith("-01")
                .isNotEqualTo(parent);
    }

    @Test
    void shouldSendALengthOfZero_whenAPostHasNoBody() throws Exception {
        Outcome outcome = call(base(10, null), clock, permit(Upstreams.call("POST", "/ok", null)));

        assertThat(answer(outcome).status()).isEqualTo(200);
        assertThat(onlyCall().headers()).containsEntry("content-length", "0").doesNotContainKey("content-type");
    }

    @Test
    void shouldReportTheRedirect_whenTheUpstreamRedirects() throws Exception {
        Outcome outcome = call(base(10, null), clock, permit(Upstreams.call("GET", "/redirect", null)));

        assertThat(answer(outcome).status()).isEqualTo(302);
        assertThat(answer(outcome).header("location")).isNotNull();
        assertThat(seen).hasSize(1);
    }

    @Test
    void shouldReportTheChallenge_whenTheUpstreamAsksWhoItIs() throws Exception {
        Outcome outcome = call(base(10, null), clock, permit(Upstreams.call("GET", "/challenge", null)));

        assertThat(answer(outcome).status()).isEqualTo(401);
        assertThat(answer(outcome).body()).isEqualTo("who?");
        assertThat(seen).hasSize(1);
    }

    @Test
    void shouldKeepNoCookies_whenTheUpstreamSetsOne() throws Exception {
        UpstreamClient twice = client(base(10, null), clock);

        call(twice, permit(Upstreams.call("GET", "/cookie", null)));
        call(twice, permit(Upstreams.call("GET", "/ok", null)));

        assertThat(seen).hasSize(2).allSatisfy(s -> assertThat(s.headers()).doesNotContainKey("cookie"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"/bytes", "/nul"})
    void shouldReportBase64_whenTheAnswerIsNoText(String path) throws Exception {
        Outcome outcome = call(base(10, null), clock, permit(Upstreams.call("GET", path, null)));

        assertThat(answer(outcome).body()).isNull();
        assertThat(answer(outcome).bodyBase64()).isIn("AAH/", "YQBi");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/large", "/bomb"})
    void shouldCutTheAnswer_whenItIsLongerThanTheCap(String path) throws Exception {
        Outcome outcome = call(base(10, null), clock, permit(Upstreams.call("GET", path, null)));

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.ANSWERED);
        assertThat(answer(outcome).status()).isEqualTo(200);
        assertThat(answer(outcome).cut()).isTrue();
        assertThat(Objects.requireNonNull(answer(outcome).body())).hasSize(1024 * 1024);
    }

    @Test
    void shouldFailWithinTheTimeout_whenTheUpstreamSaysNothing() throws Exception {
        Permit permit =
                Upstreams.permit(Upstreams.call("GET", "/slow", null), clock.instant(), TTL, Duration.ofMillis(300));

        Outcome outcome = call(base(10, null), clock, permit);

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
        assertThat(outcome.error()).contains("PT0.3S").contains("may have seen");
        assertThat(Duration.between(outcome.slot(), outcome.endedAt())).isLessThan(Duration.ofSeconds(3));
    }

    @Test
    void shouldWaitForTheAnswer_whenItTakesLongerThanAnIdleConnectionIsKept() throws Exception {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        UpstreamClient patient = client(base(10, null), clock);
        Instant start = clock.instant();

        patient.call(permit(Upstreams.call("GET", "/slow", null)), outcome::complete);
        Instant longEnough = start.plus(UpstreamClient.IDLE_KEEP_ALIVE).plusSeconds(1);
        org.awaitility.Awaitility.await()
                .atMost(Duration.ofSeconds(10))
                .until(() -> clock.instant().isAfter(longEnough));
        release.countDown();

        assertThat(outcome.get(PATIENCE_SECONDS, TimeUnit.SECONDS).kind()).isEqualTo(Outcome.Kind.ANSWERED);
    }

    @Test
    void shouldHandBack_whenThePermitHasExpired() throws Exception {
        Permit permit = Upstreams.permit(
                Upstreams.call("GET", "/ok", null), clock.instant().minusSeconds(4), TTL, TIMEOUT);

        Outcome outcome = call(base(10, null), clock, permit);

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.RETURNED);
        assertThat(outcome.startedAt()).isNull();
        assertThat(seen).isEmpty();
    }

    @Test
    void shouldHandBack_whenTheFileHasNoSuchUpstream() throws Exception {
        WeirConfig another = new WeirConfig(Map.of(), WeirConfig.DEFAULT_MAX_BODY_BYTES);

        Outcome outcome = call(another, clock, permit(Upstreams.call("GET", "/ok", null)));

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.RETURNED);
        assertThat(outcome.error()).contains(Upstreams.NAME);
    }

    @Test
    void shouldHandBackUnwritten_whenTimePassesBetweenTheStartAndTheWriting() throws Exception {
        Instant slot = Instant.parse("2026-11-22T10:00:00Z");
        AtomicInteger looks = new AtomicInteger();
        // The process stands still for a minute after its first look at the clock.
        InstantSource stopped = () -> looks.getAndIncrement() == 0 ? slot : slot.plusSeconds(60);

        Outcome outcome =
                call(base(10, null), stopped, Upstreams.permit(Upstreams.call("GET", "/ok", null), slot, TTL, TIMEOUT));

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.RETURNED);
        assertThat(outcome.startedAt()).isNull();
        assertThat(outcome.error()).contains("10:00:03Z").contains("10:01:00Z");
        assertThat(seen).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"/../admin", "//evil.example/x", "/a/%2e%2e/b"})
    void shouldRefuse_whenThePathWouldLeaveTheBaseUrl(String path) throws Exception {
        Outcome outcome = call(base(10, null), clock, permit(Upstreams.call("GET", path, null)));

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.REFUSED);
        assertThat(outcome.error()).contains("/request/path");
        assertThat(seen).isEmpty();
    }

    @Test
    void shouldCallOnce_whenTheConnectionIsDroppedAfterTheRequest() throws Exception {
        try (RawServer raw = new RawServer(out -> false)) {
            Outcome outcome = call(config(raw.url(), 10, null), clock, permit(Upstreams.call("GET", "/ok", null)));

            assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
            assertThat(outcome.startedAt()).isNotNull();
            assertThat(raw.requests).hasValue(1);
            assertThat(raw.connections).hasValue(1);
        }
    }

    @Test
    void shouldCallOnce_whenAConnectionThatWasUsedBeforeIsDropped() throws Exception {
        AtomicInteger count = new AtomicInteger();
        try (RawServer raw = new RawServer(out -> {
            if (count.incrementAndGet() > 1) {
                return false;
            }
            out.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".getBytes(StandardCharsets.US_ASCII));
            out.flush();
            return true;
        })) {
            UpstreamClient twice = client(config(raw.url(), 10, null), clock);

            Outcome first = call(twice, permit(Upstreams.call("GET", "/ok", null)));
            Outcome second = call(twice, permit(Upstreams.call("GET", "/ok", null)));

            assertThat(List.of(first.kind(), second.kind()))
                    .containsExactly(Outcome.Kind.ANSWERED, Outcome.Kind.FAILED);
            assertThat(raw.requests).hasValue(2);
            assertThat(raw.connections).hasValue(1);
        }
    }

    @Test
    void shouldFailWithoutAStart_whenNobodyListens() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }

        Outcome outcome =
                call(config("http://127.0.0.1:" + port, 10, null), clock, permit(Upstreams.call("GET", "/ok", null)));

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
        assertThat(outcome.startedAt()).isNull();
        assertThat(outcome.error()).contains("refused").contains("not sent").doesNotContain("\n");
    }

    @Test
    void shouldHoldNoCallBack_whenMoreAreOpenThanTheFileOnceSaid() throws Exception {
        try (RawServer raw = new RawServer(out -> {
            try {
                return !release.await(PATIENCE_SECONDS, TimeUnit.SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        })) {
            UpstreamClient busy = client(config(raw.url(), 2, null), clock);

            // One after the other: of calls that begin together one may take another's connection, and Jetty begins one
            // more.
            for (int open = 1; open <= 5; open++) {
                int expected = open;
                busy.call(permit(Upstreams.call("GET", "/ok", null)), outcome -> {});
                org.awaitility.Awaitility.await()
                        .atMost(Duration.ofSeconds(10))
                        .untilAsserted(() -> assertThat(raw.requests).hasValue(expected));
            }

            assertThat(raw.connections).hasValue(5);
        }
    }

    private void see(Context ctx) {
        Map<String, String> headers = new java.util.TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        headers.putAll(ctx.headerMap());
        String query = ctx.queryString();
        seen.add(new Seen(ctx.method().name(), ctx.path() + (query == null ? "" : "?" + query), headers, ctx.body()));
    }

    private Seen onlyCall() {
        assertThat(seen).hasSize(1);
        return Objects.requireNonNull(seen.peek());
    }

    private static Answer answer(Outcome outcome) {
        assertThat(outcome.error()).isNull();
        return Objects.requireNonNull(outcome.answer());
    }

    private Permit permit(Call call) {
        return Upstreams.permit(call, clock.instant(), TTL, TIMEOUT);
    }

    private static Permit traced(Permit p, String traceparent) {
        return new Permit(
                p.v(),
                p.jobId(),
                p.tenant(),
                p.upstream(),
                p.permit(),
                p.slot(),
                p.expiresAt(),
                p.attempt(),
                p.timeoutMs(),
                p.request(),
                traceparent);
    }

    private WeirConfig base(int maxInFlight, @Nullable AuthSettings auth) {
        return config("http://127.0.0.1:" + server.port() + "/base/", maxInFlight, auth);
    }

    private static WeirConfig config(String url, int maxInFlight, @Nullable AuthSettings auth) {
        return Upstreams.config(url, maxInFlight, auth);
    }

    private UpstreamClient client(WeirConfig config, InstantSource time) {
        UpstreamClient made =
                new UpstreamClient(config, time, new Random(1), new DispatcherMetrics(new SimpleMeterRegistry()));
        made.start();
        client = made;
        return made;
    }

    private Outcome call(WeirConfig config, InstantSource time, Permit permit) throws Exception {
        return call(client(config, time), permit);
    }

    private static Outcome call(UpstreamClient by, Permit permit) throws Exception {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        by.call(permit, outcome::complete);
        return outcome.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    }

    private static byte[] gzip(int length) throws java.io.IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        byte[] part = new byte[100_000];
        Arrays.fill(part, (byte) 'x');
        try (GZIPOutputStream gzip = new GZIPOutputStream(bytes)) {
            for (int written = 0; written < length; written += part.length) {
                gzip.write(part);
            }
        }
        return bytes.toByteArray();
    }
}
