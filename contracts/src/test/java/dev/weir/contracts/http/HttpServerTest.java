package dev.weir.contracts.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What never reaches a route, as raw bytes over a socket. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class HttpServerTest {
    private final HttpServer server = new HttpServer(
            "127.0.0.1", 0, 1024, List.of(), Map.of(), new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));

    @AfterAll
    void stop() {
        server.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "nonsense                              | Host: x            | 400",
                "GET /%zz HTTP/1.1                     | Host: x            | 400",
                "PUT /a%2Fb HTTP/1.1                   | Host: x            | 404",
                "GET /healthz HTTP/1.1                 | Accept: text/html  | 400",
                "GET /healthz HTTP/1.1                 | Host: a, b         | 400",
                "GET /healthz HTTP/9.9                 | Host: x            | 505",
                "GET /healthz HTTP/1.1                 | LARGE              | 431",
                "GET /nothing HTTP/1.1                 | Host: x            | 404",
                "BREW /healthz HTTP/1.1                | Host: x            | 405",
            })
    void shouldAnswerWithAProblem_whateverIsWrongWithTheRequest(String line, String header, int status)
            throws IOException {
        String large = "Host: x\r\nX-Large: " + "x".repeat(HttpServer.MAX_HEADER_BYTES);

        String response =
                raw(line + "\r\n" + (header.equals("LARGE") ? large : header) + "\r\nConnection: close\r\n\r\n");

        assertThat(response).startsWith("HTTP/1.1 " + status + " ");
        assertThat(response.lines()).anyMatch(l -> l.equalsIgnoreCase("Content-Type: application/problem+json"));
        JsonNode problem = Json.MAPPER.readTree(response.substring(response.indexOf("\r\n\r\n")));
        assertThat(problem.get("status").asInt()).isEqualTo(status);
        assertThat(problem.get("title").asText()).isNotBlank();
        assertThat(problem.get("detail").asText()).isNotBlank();
    }

    @Test
    void shouldSayThatItCloses_whenItClosesAfterARequestThatCannotBeRead() throws IOException {
        assertThat(raw("GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n").lines()).contains("Connection: close");
    }

    @Test
    void shouldServeOthers_whileManyReadNoAnswers() throws Exception {
        byte[] requests = "GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
                .repeat(100)
                .getBytes(StandardCharsets.US_ASCII);
        List<Socket> silent = new ArrayList<>();
        try {
            for (int i = 0; i < 2 * HttpServer.THREADS; i++) {
                Socket socket = new Socket("127.0.0.1", server.port());
                silent.add(socket);
                Thread sender = new Thread(() -> {
                    try {
                        socket.getOutputStream().write(requests);
                    } catch (IOException closed) {
                        // It is, at the end of the test.
                    }
                });
                sender.setDaemon(true);
                sender.start();
            }
            awaitNoMoreIn(silent);

            long startedNs = System.nanoTime();
            String answer = raw("GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");

            assertThat(answer).startsWith("HTTP/1.1 200 ");
            assertThat(Duration.ofNanos(System.nanoTime() - startedNs))
                    .isLessThan(HttpServer.STALL_TIMEOUT.dividedBy(2));
        } finally {
            for (Socket socket : silent) {
                socket.close();
            }
        }
    }

    /** Until nothing more of the answers comes: no more of them fits the sockets, or nobody sends them. */
    private static void awaitNoMoreIn(List<Socket> sockets) {
        AtomicLong before = new AtomicLong();
        await().pollInterval(Duration.ofMillis(500))
                .atMost(HttpServer.STALL_TIMEOUT)
                .until(() -> {
                    long now = 0;
                    for (Socket socket : sockets) {
                        now += socket.getInputStream().available();
                    }
                    return before.getAndSet(now) == now && now > 0;
                });
    }

    private String raw(String request) throws IOException {
        try (Socket socket = new Socket("127.0.0.1", server.port())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
