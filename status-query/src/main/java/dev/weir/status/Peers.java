package dev.weir.status;

import dev.weir.contracts.kafka.Json;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import org.apache.kafka.streams.state.HostInfo;
import org.jspecify.annotations.Nullable;

/**
 * Asks other instances for what their stores have. One that does not answer is left alone for {@link #REST}, so that a
 * machine that hangs does not hold up every question. Thread-safe; never blocks.
 */
final class Peers {
    /** Where an instance answers the others. */
    static final String PATH = "/internal/status";

    static final Duration CONNECT_TIMEOUT = Duration.ofMillis(500);
    static final Duration TIMEOUT = Duration.ofSeconds(2);
    static final Duration REST = Duration.ofSeconds(1);
    static final int MOST_ASKED_AT_ONCE = 1_024;

    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(CONNECT_TIMEOUT)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
    private final Semaphore asked = new Semaphore(MOST_ASKED_AT_ONCE);
    private final Map<HostInfo, Long> silentSinceNanos = new ConcurrentHashMap<>();
    private final @Nullable String token;

    /** @param token by which the other instances know this one; null where no clients are configured */
    Peers(@Nullable String token) {
        this.token = token;
    }

    /** A job as that instance knows it; fails when it does not answer in time, or cannot tell. */
    CompletableFuture<Found> job(HostInfo host, String id) {
        return ask(host, "/jobs/" + id, Found.class);
    }

    /** The same once its revision is above this one, or after {@link JobFinder#LONGEST_WATCH}. */
    CompletableFuture<Found> next(HostInfo host, String id, long seen) {
        return ask(host, "/jobs/" + id + "?seen=" + seen, Found.class);
    }

    <T> CompletableFuture<T> ask(HostInfo host, String path, Class<T> answer) {
        Long silentSince = silentSinceNanos.get(host);
        if (silentSince != null && System.nanoTime() - silentSince < REST.toNanos()) {
            return CompletableFuture.failedFuture(
                    new StatusUnavailableException("the instance at " + host + " does not answer; ask again", null));
        }
        if (!asked.tryAcquire()) {
            return CompletableFuture.failedFuture(new StatusUnavailableException(
                    MOST_ASKED_AT_ONCE + " questions to other instances wait already; ask again", null));
        }
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://" + host.host() + ":" + host.port() + PATH + path))
                .timeout(TIMEOUT);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray())
                .whenComplete((response, failure) -> {
                    asked.release();
                    if (failure != null) {
                        silentSinceNanos.put(host, System.nanoTime());
                    } else {
                        silentSinceNanos.remove(host);
                    }
                })
                .thenCompose(response -> response.statusCode() == 200
                        ? CompletableFuture.completedFuture(Json.read(response.body(), answer))
                        : CompletableFuture.failedFuture(
                                new IOException("the instance at " + host + " answered " + response.statusCode())));
    }
}
