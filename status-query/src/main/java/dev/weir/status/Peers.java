package dev.weir.status;

import dev.weir.contracts.kafka.Json;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
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
    /** Those wait for something to happen, and must not be in the way of the others. */
    static final int MOST_WATCHED_AT_ONCE = EventRoutes.MOST_STREAMS;
    /** Lists and counts read much: one that takes long is no sign of an instance that hangs. */
    static final Duration SCAN_TIMEOUT = Duration.ofSeconds(10);

    static final int MOST_SCANS_AT_ONCE = 64;

    private final HttpClient client = HttpClient.newBuilder()
            .connectTimeout(CONNECT_TIMEOUT)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
    private final Semaphore asked = new Semaphore(MOST_ASKED_AT_ONCE);
    private final Semaphore watched = new Semaphore(MOST_WATCHED_AT_ONCE);
    private final Semaphore scans = new Semaphore(MOST_SCANS_AT_ONCE);
    private final Map<HostInfo, Long> silentSinceNanos = new ConcurrentHashMap<>();
    private final @Nullable String token;

    /** @param token by which the other instances know this one; null where no clients are configured */
    Peers(@Nullable String token) {
        this.token = token;
    }

    /** A job as that instance knows it; fails when it does not answer in time, or cannot tell. */
    CompletableFuture<Found> job(HostInfo host, String id) {
        return ask(host, "/jobs/" + id, Found.class, asked, TIMEOUT);
    }

    /** The same once its revision is above this one, or after {@link JobFinder#LONGEST_WATCH}. */
    CompletableFuture<Found> next(HostInfo host, String id, long seen) {
        return ask(host, "/jobs/" + id + "?seen=" + seen, Found.class, watched, TIMEOUT);
    }

    /** What that instance finds in many entries of its stores. */
    <T> CompletableFuture<T> scan(HostInfo host, String path, Class<T> answer) {
        return ask(host, path, answer, scans, SCAN_TIMEOUT);
    }

    private <T> CompletableFuture<T> ask(
            HostInfo host, String path, Class<T> answer, Semaphore places, Duration timeout) {
        Long silentSince = silentSinceNanos.get(host);
        if (silentSince != null && System.nanoTime() - silentSince < REST.toNanos()) {
            return CompletableFuture.failedFuture(
                    new StatusUnavailableException("the instance at " + host + " does not answer; ask again", null));
        }
        if (!places.tryAcquire()) {
            return CompletableFuture.failedFuture(new StatusUnavailableException(
                    "too many questions to other instances wait already; ask again", null));
        }
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create("http://" + host.host() + ":" + host.port() + PATH + path))
                .timeout(timeout);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        return client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofByteArray())
                .whenComplete((response, failure) -> {
                    places.release();
                    if (failure == null) {
                        silentSinceNanos.remove(host);
                    } else if (places != scans || isUnreachable(failure)) {
                        silentSinceNanos.put(host, System.nanoTime());
                    }
                })
                .thenCompose(response -> response.statusCode() == 200
                        ? CompletableFuture.completedFuture(Json.read(response.body(), answer))
                        : CompletableFuture.failedFuture(
                                new IOException("the instance at " + host + " answered " + response.statusCode())));
    }

    private static boolean isUnreachable(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof ConnectException;
    }
}
