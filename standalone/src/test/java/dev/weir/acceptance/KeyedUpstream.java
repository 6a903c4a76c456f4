package dev.weir.acceptance;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** An API that repeats the key that it is called with, in a header and in the body. Thread-safe. */
final class KeyedUpstream implements AutoCloseable {
    static final String FIRST = "first-s3cret-7Qw9";
    static final String SECOND = "second-s3cret-Xk2p";
    static final String FROM_ENVIRONMENT = "env-s3cret-Zr8m";
    static final String VARIABLE = "KEYED_UPSTREAMS_KEY";
    /** In each answer, so that a search can prove that it finds. */
    static final String MARK = "mark-of-an-answer";

    private final HttpServer server;
    private final Path file;
    private final Set<String> seen = new TreeSet<>();

    KeyedUpstream(Path dir) throws IOException {
        file = Files.writeString(dir.resolve("keyed-upstreams-key"), FIRST + "\n");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    /** Two upstreams, for after others. */
    String yaml() {
        return """
                 keyed:
                   baseUrl: http://127.0.0.1:%1$d/ok
                   limits: [{ permits: 100, per: 1s }]
                   auth: { header: X-Key, value: "${file:%2$s}" }
                 keyed-by-environment:
                   baseUrl: http://127.0.0.1:%1$d/refused
                   limits: [{ permits: 100, per: 1s }]
                   auth: { header: Authorization, value: "Bearer ${env:%3$s}" }
               """.formatted(server.getAddress().getPort(), file, VARIABLE)
                .indent(1)
                .replaceAll("(?m)^ ", "");
    }

    /** Its second key from now on. */
    void change() throws IOException {
        Files.writeString(file, SECOND + "\n");
    }

    synchronized Set<String> seen() {
        return Set.copyOf(seen);
    }

    private void answer(HttpExchange call) throws IOException {
        boolean refused = call.getRequestURI().getPath().startsWith("/refused");
        String key = call.getRequestHeaders().getFirst(refused ? "Authorization" : "X-Key");
        synchronized (this) {
            seen.add(key.replace("Bearer ", ""));
        }
        String text = refused ? "no such key: " + key.replace("Bearer ", "") : "you came with " + key;
        byte[] body = (text + ", " + MARK).getBytes(StandardCharsets.UTF_8);
        call.getRequestBody().readAllBytes();
        call.getResponseHeaders().add("Content-Type", "text/plain");
        call.getResponseHeaders().add("X-You-Sent", key);
        call.sendResponseHeaders(refused ? 401 : 200, body.length);
        call.getResponseBody().write(body);
        call.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
