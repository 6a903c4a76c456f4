package dev.weir.ingress;

import dev.weir.contracts.http.FinishedJobs;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks the status service at {@code WEIR_STATUS_URL} about jobs. Thread-safe. */
public final class HttpJobs implements KnownJobs, FinishedJobs {
    static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(1);
    /** Of a question that is answered at once; beyond the wait itself, of one that waits. */
    static final Duration TIMEOUT = Duration.ofSeconds(2);

    private static final Logger LOG = LoggerFactory.getLogger(HttpJobs.class);

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
    public HttpJobs(URI statusUrl, @Nullable String peerToken) {
        this.peerToken = peerToken;
        String text = statusUrl.toString();
        this.base = text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    }

    @Override
    public CompletableFuture<@Nullable KnownJob> find(String id) {
        return get("/internal/known-jobs/" + id, TIMEOUT).thenCompose(response -> switch (response.statusCode()) {
            case 200 -> CompletableFuture.completedFuture(Json.read(response.body(), KnownJob.class));
            case 404 -> CompletableFuture.completedFuture(null);
            default -> CompletableFuture.failedFuture(new IOException(unexpected(response)));
        });
    }

    @Override
    public CompletableFuture<byte @Nullable []> within(String id, Duration patience) {
        return get("/internal/finished-jobs/" + id + "?waitMs=" + patience.toMillis(), patience.plus(TIMEOUT))
                .<byte @Nullable []>handle((response, failure) -> {
                    if (failure == null && response.statusCode() == 200) {
                        return response.body();
                    }
                    if (failure != null || response.statusCode() != 204) {
                        LOG.warn(
                                "could not learn of the end of job {}, so its client is answered 202 for now: {}",
                                id,
                                failure == null ? unexpected(response) : failure.toString());
                    }
                    return null;
                });
    }

    private CompletableFuture<HttpResponse<byte[]>> get(String path, Duration timeout) {
        HttpRequest.Builder request =
                HttpRequest.newBuilder(URI.create(base + path)).timeout(timeout);
        if (peerToken != null) {
            request.header("Authorization", "Bearer " + peerToken);
        }
        return client.sendAsync(request.GET().build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private static String unexpected(HttpResponse<byte[]> response) {
        return response.statusCode() == 403
                ? "the status service does not know this ingress; give both the same clients in their configurations"
                : "the status service answered " + response.statusCode();
    }
}
