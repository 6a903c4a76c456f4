package dev.weir.ingress;

import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.http.KnownJobs;
import dev.weir.contracts.kafka.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Asks the status service at {@code WEIR_STATUS_URL}. Thread-safe. */
public final class HttpKnownJobs implements KnownJobs {
    static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);
    static final Duration TIMEOUT = Duration.ofSeconds(2);

    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(CONNECT_TIMEOUT)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
    private final String base;
    private final @Nullable String peerToken;

    /**
     * @param statusUrl as in {@code http://status:8080}, with or without a slash at the end
     * @param peerToken by which the status service knows this process; null where no clients are configured
     */
    public HttpKnownJobs(URI statusUrl, @Nullable String peerToken) {
        this.peerToken = peerToken;
        String text = statusUrl.toString();
        this.base = text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    }

    @Override
    public CompletableFuture<@Nullable KnownJob> find(String id) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + "/internal/known-jobs/" + id))
                .timeout(TIMEOUT);
        if (peerToken != null) {
            request.header("Authorization", "Bearer " + peerToken);
        }
        return client.sendAsync(request.GET().build(), HttpResponse.BodyHandlers.ofByteArray())
                .thenCompose(response -> switch (response.statusCode()) {
                    case 200 -> CompletableFuture.completedFuture(Json.read(response.body(), KnownJob.class));
                    case 404 -> CompletableFuture.completedFuture(null);
                    case 403 ->
                        CompletableFuture.failedFuture(new IOException(
                                "the status service does not know this ingress; give both the same clients"
                                        + " in their configurations"));
                    default ->
                        CompletableFuture.failedFuture(
                                new IOException("the status service answered " + response.statusCode()));
                });
    }
}
