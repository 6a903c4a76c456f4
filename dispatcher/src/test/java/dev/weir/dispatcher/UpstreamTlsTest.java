package dev.weir.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Outcome;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whom the dispatcher talks to over TLS: only an upstream whose certificate is trusted and names its host. */
class UpstreamTlsTest {
    private static final String TRUST_STORE = "javax.net.ssl.trustStore";
    /** The one type whose certificates Java trusts without a password. */
    private static final String TYPE = "JKS";

    private static final String PASSWORD = "changeit";
    private static final Duration TTL = Duration.ofSeconds(10);

    @TempDir
    Path dir;

    private final InstantSource clock = new AnchoredClock();
    private final AtomicInteger requests = new AtomicInteger();
    private final @Nullable String trustedBefore = System.getProperty(TRUST_STORE);
    private @Nullable HttpsServer server;

    @AfterEach
    void stop() {
        if (server != null) {
            server.stop(0);
        }
        if (trustedBefore == null) {
            System.clearProperty(TRUST_STORE);
        } else {
            System.setProperty(TRUST_STORE, trustedBefore);
        }
    }

    @Test
    void shouldCall_whenTheCertificateIsTrustedAndNamesTheHost() throws Exception {
        Path own = certificate("ip:127.0.0.1");
        System.setProperty(TRUST_STORE, own.toString());

        Outcome outcome = call(own);

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.ANSWERED);
        assertThat(requests).hasValue(1);
    }

    @Test
    void shouldSendNothing_whenNobodyVouchesForTheCertificate() throws Exception {
        Outcome outcome = call(certificate("ip:127.0.0.1"));

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
        assertThat(outcome.error()).contains("no secure connection").contains("the call was not sent");
        assertThat(outcome.startedAt()).isNull();
        assertThat(requests).hasValue(0);
    }

    @Test
    void shouldSendNothing_whenTheCertificateIsForAnotherHost() throws Exception {
        Path another = certificate("dns:another.example");
        System.setProperty(TRUST_STORE, another.toString());

        Outcome outcome = call(another);

        assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
        assertThat(outcome.error()).contains("no secure connection").contains("the call was not sent");
        assertThat(requests).hasValue(0);
    }

    private Outcome call(Path keyStore) throws Exception {
        HttpsServer https = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 10);
        server = https;
        https.setHttpsConfigurator(new HttpsConfigurator(identity(keyStore)));
        https.createContext("/", exchange -> {
            requests.incrementAndGet();
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        https.start();
        String url = "https://127.0.0.1:" + https.getAddress().getPort();
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        try (UpstreamClient client = new UpstreamClient(
                Upstreams.config(url, 10, null),
                clock,
                new Random(1),
                new DispatcherMetrics(new SimpleMeterRegistry()))) {
            client.start();
            client.call(
                    Upstreams.permit(Upstreams.call("GET", "/", null), clock.instant(), TTL, TTL), outcome::complete);
            return outcome.get(TTL.toSeconds() * 2, TimeUnit.SECONDS);
        }
    }

    /** A new key with a certificate that it signed itself; who trusts this store trusts the certificate. */
    private Path certificate(String name) throws Exception {
        Path store = dir.resolve("keys");
        keytool(
                "-genkeypair",
                "-keyalg",
                "EC",
                "-dname",
                "CN=weir test",
                "-ext",
                "san=" + name,
                "-alias",
                "own",
                "-keystore",
                store.toString());
        return store;
    }

    private static SSLContext identity(Path keyStore) throws Exception {
        KeyStore keys = KeyStore.getInstance(TYPE);
        try (InputStream in = Files.newInputStream(keyStore)) {
            keys.load(in, PASSWORD.toCharArray());
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, PASSWORD.toCharArray());
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), null, null);
        return context;
    }

    private static void keytool(String... arguments) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        builder.command().addAll(java.util.List.of(arguments));
        builder.command().addAll(java.util.List.of("-storepass", PASSWORD, "-keypass", PASSWORD, "-storetype", TYPE));
        Process process = builder.redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
    }
}
