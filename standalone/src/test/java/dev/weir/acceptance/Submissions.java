package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.kafka.Json;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;

/** Submits jobs over HTTP, many at once. */
final class Submissions {
    private static final int REQUESTS_AT_ONCE = 64;

    private Submissions() {}

    /** Answers the ids of so many new jobs; each submission must be a 202. */
    static List<String> submit(HttpClient http, String url, String upstream, int jobs) throws InterruptedException {
        Semaphore atOnce = new Semaphore(REQUESTS_AT_ONCE);
        List<CompletableFuture<String>> answers = new ArrayList<>();
        for (int i = 0; i < jobs; i++) {
            atOnce.acquire();
            String body =
                    "{\"upstream\":\"" + upstream + "\",\"request\":{\"path\":\"/v1/x\",\"body\":{\"n\":" + i + "}}}";
            answers.add(http.sendAsync(submission(url, body).build(), HttpResponse.BodyHandlers.ofString())
                    .whenComplete((response, failure) -> atOnce.release())
                    .thenApply(response -> {
                        assertThat(response.statusCode()).as(response.body()).isEqualTo(202);
                        return id(response.body());
                    }));
        }
        return answers.stream().map(CompletableFuture::join).toList();
    }

    static HttpRequest.Builder submission(String url, String body) {
        return HttpRequest.newBuilder(URI.create(url + "/v1/jobs"))
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body));
    }

    private static String id(String body) {
        try {
            return Json.MAPPER.readTree(body).get("id").asText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
