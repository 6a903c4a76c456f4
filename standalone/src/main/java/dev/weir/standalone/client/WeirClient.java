package dev.weir.standalone.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.StartException;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Weir's HTTP interface. Thread-safe. */
public final class WeirClient {
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
    /**
     * Lines of one batch: fewer than Weir keeps unanswered, so that it reads them all though nobody reads its answers
     * meanwhile. The JDK's client begins to read only when all is sent.
     */
    public static final int MOST_LINES = 200;

    private final URI base;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();

    private final @Nullable String apiKey;

    /** @param apiKey null where none is needed */
    public WeirClient(URI base, @Nullable String apiKey) {
        this.apiKey = apiKey;
        String text = base.toString();
        this.base = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
    }

    /** An answer: its status, its JSON (a missing node when it has none), and how long to wait before asking again. */
    public record Reply(int status, JsonNode body, @Nullable Duration retryAfter) {
        public boolean ok() {
            return status / 100 == 2;
        }

        /** The problem in one line: status, detail and the bad fields. */
        public String problem() {
            return WeirClient.problem(status, body);
        }
    }

    /** A problem in one line: status, detail and the bad fields. */
    public static String problem(int status, JsonNode problem) {
        List<String> parts = new ArrayList<>();
        parts.add(status + " " + problem.path("title").asText("").strip());
        parts.add(problem.path("detail").asText(""));
        for (JsonNode error : problem.path("errors")) {
            parts.add(
                    error.path("pointer").asText() + " " + error.path("detail").asText());
        }
        parts.removeIf(String::isBlank);
        return String.join("; ", parts);
    }

    /**
     * A batch's answers.
     *
     * @param whole its status; when that is no success, why nothing was taken
     * @param lines one for each line that is not blank, in order; fewer when the batch broke off
     */
    public record BatchReply(Reply whole, List<JsonNode> lines) {}

    public CompletableFuture<Reply> submit(JsonNode job, @Nullable String idempotencyKey) {
        HttpRequest.Builder request = request("/v1/jobs")
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(Json.bytes(job)));
        if (idempotencyKey != null) {
            request.header("Idempotency-Key", idempotencyKey);
        }
        return send(request);
    }

    /**
     * Submits many jobs in one request.
     *
     * @param lines at most {@link #MOST_LINES}, each a job as JSON without a line's end
     * @param idempotencyKey of the whole batch; null for none
     */
    public CompletableFuture<BatchReply> submitAll(List<byte[]> lines, @Nullable String idempotencyKey) {
        if (lines.size() > MOST_LINES) {
            throw new IllegalArgumentException(lines.size() + " lines, expected at most " + MOST_LINES);
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (byte[] line : lines) {
            body.writeBytes(line);
            body.write('\n');
        }
        HttpRequest.Builder request = request("/v1/jobs/batch")
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body.toByteArray()));
        if (idempotencyKey != null) {
            request.header("Idempotency-Key", idempotencyKey);
        }
        return http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray())
                .thenApply(response -> {
                    if (response.statusCode() != 200) {
                        return new BatchReply(reply(response), List.of());
                    }
                    List<JsonNode> answers = new String(response.body(), StandardCharsets.UTF_8)
                            .lines()
                            .map(line -> parse(line.getBytes(StandardCharsets.UTF_8)))
                            .filter(JsonNode::isObject)
                            .toList();
                    return new BatchReply(new Reply(200, Json.MAPPER.missingNode(), null), answers);
                });
    }

    public CompletableFuture<Reply> job(String id) {
        return send(request("/v1/jobs/" + encode(id)).GET());
    }

    /** A page of jobs; the query as {@code GET /v1/jobs} takes it. */
    public CompletableFuture<Reply> jobs(Map<String, String> query) {
        return send(request("/v1/jobs?"
                        + query.entrySet().stream()
                                .map(parameter -> parameter.getKey() + "=" + encode(parameter.getValue()))
                                .collect(Collectors.joining("&")))
                .GET());
    }

    /**
     * A job's events, as they come.
     *
     * @param lastEventId what was seen already; null for nothing
     */
    public Events events(String id, @Nullable String lastEventId) throws IOException, InterruptedException {
        HttpRequest.Builder request =
                request("/v1/jobs/" + encode(id) + "/events").header("Accept", "text/event-stream");
        if (lastEventId != null) {
            request.header("Last-Event-ID", lastEventId);
        }
        return new Events(http.send(request.GET().build(), HttpResponse.BodyHandlers.ofInputStream()));
    }

    /** An open stream of server-sent events; closing it ends a read that another thread is in. */
    public static final class Events implements AutoCloseable {
        private final int status;
        private final InputStream body;
        private final BufferedReader reader;

        private Events(HttpResponse<InputStream> response) {
            status = response.statusCode();
            body = response.body();
            reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8));
        }

        public int status() {
            return status;
        }

        /** Why there are no events; null when there are. */
        public @Nullable String problem() throws IOException {
            return status / 100 == 2 ? null : new Reply(status, parse(body.readAllBytes()), null).problem();
        }

        /** The next line; null at the end. */
        public @Nullable String line() throws IOException {
            return reader.readLine();
        }

        @Override
        public void close() {
            try {
                body.close();
            } catch (IOException e) {
                // It is closed all the same.
            }
        }
    }

    public CompletableFuture<Reply> cancel(String id) {
        return send(request("/v1/jobs/" + encode(id)).DELETE());
    }

    public CompletableFuture<Reply> upstreams() {
        return send(request("/v1/upstreams").GET());
    }

    public CompletableFuture<Reply> upstream(String name) {
        return send(request("/v1/upstreams/" + encode(name)).GET());
    }

    public CompletableFuture<Reply> forecast(String upstream) {
        return send(request("/v1/upstreams/" + encode(upstream) + "/forecast").GET());
    }

    /** Changes an upstream's settings by a merge patch. */
    public CompletableFuture<Reply> change(String upstream, JsonNode patch) {
        return send(request("/v1/upstreams/" + encode(upstream))
                .header("Content-Type", "application/merge-patch+json")
                .method("PATCH", HttpRequest.BodyPublishers.ofByteArray(Json.bytes(patch))));
    }

    public CompletableFuture<Reply> pause(String upstream) {
        return send(request("/v1/upstreams/" + encode(upstream) + "/pause").POST(HttpRequest.BodyPublishers.noBody()));
    }

    public CompletableFuture<Reply> resume(String upstream) {
        return send(request("/v1/upstreams/" + encode(upstream) + "/resume").POST(HttpRequest.BodyPublishers.noBody()));
    }

    /** Ready or why not. */
    public CompletableFuture<Reply> readiness() {
        return send(request("/readyz").GET());
    }

    /**
     * Waits for an answer.
     *
     * @throws StartException when there is none, saying where Weir was looked for
     */
    public <T> T await(CompletableFuture<T> reply) {
        try {
            return reply.join();
        } catch (CompletionException e) {
            throw new StartException(unreachable(e), e);
        }
    }

    /** One line on why no answer came. */
    public String unreachable(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof ConnectException) {
            return "nothing answers at " + base + "; is Weir running there? --url or WEIR_URL names another place";
        }
        return "no answer from " + base + ": " + cause;
    }

    private HttpRequest.Builder request(String path) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + path)).timeout(REQUEST_TIMEOUT);
        return apiKey == null ? request : request.header("Authorization", "Bearer " + apiKey);
    }

    private CompletableFuture<Reply> send(HttpRequest.Builder request) {
        return http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray())
                .thenApply(WeirClient::reply);
    }

    private static Reply reply(HttpResponse<byte[]> response) {
        return new Reply(
                response.statusCode(),
                parse(response.body()),
                response.headers()
                        .firstValue("Retry-After")
                        .map(WeirClient::seconds)
                        .orElse(null));
    }

    private static @Nullable Duration seconds(String text) {
        return text.matches("[0-9]{1,9}") ? Duration.ofSeconds(Long.parseLong(text)) : null;
    }

    private static JsonNode parse(byte[] body) {
        try {
            return Json.MAPPER.readTree(new String(body, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            // Something other than Weir answers there, a proxy for one: the status says enough.
            return Json.MAPPER.missingNode();
        }
    }

    private static String encode(String segment) {
        return URLEncoder.encode(segment, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
