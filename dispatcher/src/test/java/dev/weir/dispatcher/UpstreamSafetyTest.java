package dev.weir.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.config.AuthSettings;
import dev.weir.contracts.config.ConfigLoader;
import dev.weir.contracts.config.Secret;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import io.javalin.Javalin;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What neither a job nor an upstream may do to the dispatcher, over real HTTP. */
class UpstreamSafetyTest {
    private static final String SECRET = "sw0rdfish/+==";
    private static final Duration TTL = Duration.ofSeconds(3);
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration SHORT_TIMEOUT = Duration.ofMillis(600);
    private static final byte[] TEXT =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    Path dir = Path.of("");

    private final InstantSource clock = new AnchoredClock();
    private final AtomicInteger calls = new AtomicInteger();
    private final CountDownLatch over = new CountDownLatch(1);
    private Javalin server = Javalin.create();
    private @Nullable UpstreamClient client;

    @BeforeEach
    void start() {
        server = Javalin.create(config -> {
                    config.startup.showJavalinBanner = false;
                    config.routes.before(ctx -> calls.incrementAndGet());
                    config.routes.get("/base/echo", ctx -> {
                        String key = Objects.requireNonNull(ctx.header("X-Key"));
                        ctx.header("X-Seen", "key " + key).result("no such key: " + key + "!");
                    });
                    config.routes.get(
                            "/base/bytes",
                            ctx -> ctx.contentType("application/octet-stream")
                                    .result(("\0" + ctx.header("X-Key") + "\0").getBytes(StandardCharsets.UTF_8)));
                    config.routes.get(
                            "/base/large",
                            ctx -> ctx.contentType("text/plain")
                                    .result("x".repeat(4096 - 6) + ctx.header("X-Key") + "y".repeat(10_000)));
                })
                .start("127.0.0.1", 0);
    }

    @AfterEach
    void stop() {
        over.countDown();
        if (client != null) {
            client.close();
        }
        server.stop();
    }

    @Test
    void shouldKeepNoSecret_whenTheUpstreamRepeatsIt() throws Exception {
        UpstreamClient by = client(config(1024 * 1024));

        Answer text = answer(call(by, "/echo"));
        Answer bytes = answer(call(by, "/bytes"));

        assertThat(text.body()).isEqualTo("no such key: ***!");
        assertThat(text.header("x-seen")).isEqualTo("key ***");
        assertThat(Base64.getDecoder().decode(bytes.bodyBase64()))
                .isEqualTo("\0***\0".getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void shouldCutWhereItIsSet_andKeepNoBeginningOfTheSecretThere() throws Exception {
        Answer answer = answer(call(client(config(4096)), "/large"));

        assertThat(answer.cut()).isTrue();
        assertThat(answer.body()).isEqualTo("x".repeat(4096 - 6));
    }

    @Test
    void shouldCarryTheNewSecret_whenItsFileChanges() throws Exception {
        Path file = Files.writeString(dir.resolve("key"), "first-key");
        WeirConfig config = ConfigLoader.load(
                Files.writeString(dir.resolve("weir.yaml"), """
                        upstreams:
                          %s:
                            baseUrl: %s
                            limits: [{ permits: 1000, per: 1m }]
                            auth: { header: X-Key, value: "${file:%s}" }
                        """.formatted(Upstreams.NAME, url(), file)), Map.of());
        CompletableFuture<String> seen = new CompletableFuture<>();
        server.unsafe.routes.get("/base/key", ctx -> {
            String key = ctx.header("X-Key");
            if ("second-key".equals(key)) {
                seen.complete(key);
            }
            ctx.status(204);
        });
        UpstreamClient by = client(config);
        try (SecretWatch watch = new SecretWatch(config)) {
            watch.start();
            assertThat(answer(call(by, "/key")).status()).isEqualTo(204);
            assertThat(seen).isNotDone();

            Files.writeString(file, "second-key\n");

            await().atMost(PATIENCE).until(() -> {
                call(by, "/key");
                return seen.isDone();
            });
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://127.0.0.1/x",
                "//127.0.0.1/x",
                "//user@127.0.0.1/x",
                "@127.0.0.1/x",
                ":1/x",
                "/../x",
                "/a/..",
                "/%2e%2e/x",
                "/a%2fb",
                "/a%5Cb",
                "/a%252fb",
                "/a\\..\\x",
                "/a\r\nHost: x",
                "/a%0d%0aHost:%20x",
                "/a b",
                "/a#b"
            })
    void shouldRefuseAndCallNothing_whenThePathCouldLeaveTheBaseUrl(String path) throws Exception {
        Outcome outcome = call(client(config(1024)), path);

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.REFUSED);
        assertThat(outcome.error()).contains("/request/path");
        assertThat(calls).hasValue(0);
    }

    @ParameterizedTest
    @CsvSource({
        "Host,x",
        "Connection,close",
        "Keep-Alive,x",
        "Proxy-Authorization,x",
        "TE,trailers",
        "Trailer,x",
        "Transfer-Encoding,chunked",
        "Upgrade,h2c",
        "Content-Length,1",
        "Expect,100-continue",
        "X-Job-Id,x",
        "Idempotency-Key,x",
        "X-KEY,x",
        "X-A,'a\r\nHost: x'",
        "X-A,'a\nb'",
        "'X-A\r\nHost',x",
        "'',x"
    })
    void shouldRefuseAndCallNothing_whenAHeaderIsNotTheJobs(String name, String value) throws Exception {
        Call call = new Call("GET", "/echo", Map.of(name, value), null, null);

        Outcome outcome = call(client(config(1024)), call, PATIENCE);

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.REFUSED);
        assertThat(outcome.error()).contains("/request/headers");
        assertThat(calls).hasValue(0);
    }

    @Test
    void shouldCutABombThatNeverEnds() throws Exception {
        try (RawServer raw = new RawServer(out -> {
            out.write(TEXT);
            out.write("Content-Encoding: gzip\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            byte[] zeros = new byte[1024 * 1024];
            GZIPOutputStream bomb = new GZIPOutputStream(out);
            while (over.getCount() > 0) {
                bomb.write(zeros);
            }
            return false;
        })) {
            Outcome outcome = call(client(Upstreams.config(raw.url(), 10, null)), "/");

            assertThat(answer(outcome).cut()).isTrue();
            assertThat(Base64.getDecoder().decode(answer(outcome).bodyBase64())).hasSize(1024 * 1024);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"body", "chunks", "headers", "interim"})
    void shouldEndAtTheTimeout_whenTheAnswerDripsForEver(String what) throws Exception {
        try (RawServer raw = new RawServer(out -> drip(out, what))) {
            Instant before = clock.instant();

            Outcome outcome = call(
                    client(Upstreams.config(raw.url(), 10, null)), Upstreams.call("GET", "/", null), SHORT_TIMEOUT);

            assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
            assertThat(outcome.error()).contains("no complete answer within " + SHORT_TIMEOUT);
            assertThat(Duration.between(before, outcome.endedAt())).isLessThan(SHORT_TIMEOUT.plus(TTL));
        }
    }

    private boolean drip(OutputStream out, String what) throws IOException {
        String start = switch (what) {
            case "body" -> "Content-Length: 100000\r\n\r\n";
            case "chunks" -> "Transfer-Encoding: chunked\r\n\r\n";
            default -> "";
        };
        String drop = switch (what) {
            case "body" -> "x";
            case "chunks" -> "1\r\nx\r\n";
            case "headers" -> "X-A: b\r\n";
            default -> "HTTP/1.1 103 Early Hints\r\n\r\n";
        };
        if (!what.equals("interim")) {
            out.write(TEXT);
        }
        out.write(start.getBytes(StandardCharsets.US_ASCII));
        try {
            while (!over.await(50, TimeUnit.MILLISECONDS)) {
                out.write(drop.getBytes(StandardCharsets.US_ASCII));
                out.flush();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }

    private String url() {
        return "http://127.0.0.1:" + server.port() + "/base";
    }

    private WeirConfig config(int maxAnswerBytes) {
        WeirConfig plain = Upstreams.config(url(), 10, new AuthSettings("X-Key", new Secret(SECRET)));
        return new WeirConfig(
                plain.upstreams(),
                plain.maxBodyBytes(),
                plain.clients(),
                new dev.weir.contracts.config.ResultsSettings(
                        maxAnswerBytes, plain.results().retention()),
                plain.database());
    }

    private UpstreamClient client(WeirConfig config) {
        UpstreamClient made =
                new UpstreamClient(config, clock, new Random(1), new DispatcherMetrics(new SimpleMeterRegistry()));
        made.start();
        client = made;
        return made;
    }

    private Outcome call(UpstreamClient by, String path) throws Exception {
        return call(by, Upstreams.call("GET", path, null), PATIENCE);
    }

    private Outcome call(UpstreamClient by, Call call, Duration timeout) throws Exception {
        Permit permit = Upstreams.permit(call, clock.instant(), TTL, timeout);
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        by.call(permit, outcome::complete);
        return outcome.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }

    private static Answer answer(Outcome outcome) {
        assertThat(outcome.error()).isNull();
        return Objects.requireNonNull(outcome.answer());
    }
}
