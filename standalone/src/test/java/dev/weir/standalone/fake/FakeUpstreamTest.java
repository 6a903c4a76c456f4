package dev.weir.standalone.fake;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.kafka.Json;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class FakeUpstreamTest {
    @Test
    void shouldAnswer429WithRetryAfterAndTellIt_whenTheLimitIsSpent() throws Exception {
        try (FakeUpstream upstream =
                new FakeUpstream("127.0.0.1", 0, List.of(new Limit(2, Duration.ofMinutes(1))), Duration.ZERO)) {
            HttpClient client = HttpClient.newHttpClient();
            URI base = URI.create("http://127.0.0.1:" + upstream.port());

            assertThat(call(client, base, "one").statusCode()).isEqualTo(200);
            HttpResponse<String> second = call(client, base, "two");
            HttpResponse<String> third = call(client, base, "two");

            assertThat(Json.MAPPER.readTree(second.body()).get("job").asText()).isEqualTo("two");
            assertThat(third.statusCode()).isEqualTo(429);
            assertThat(third.headers().firstValueAsLong("Retry-After"))
                    .satisfies(seconds -> assertThat(seconds.getAsLong()).isBetween(1L, 60L));
            JsonNode stats = Json.MAPPER.readTree(client.send(
                            HttpRequest.newBuilder(base.resolve("/stats")).build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body());
            assertThat(stats.get("calls").asInt()).isEqualTo(3);
            assertThat(stats.get("tooManyRequests").asInt()).isEqualTo(1);
            assertThat(stats.get("distinctJobs").asInt()).isEqualTo(2);
            assertThat(stats.get("duplicates").asInt()).isEqualTo(1);
        }
    }

    private static HttpResponse<String> call(HttpClient client, URI base, String job) throws Exception {
        return client.send(
                HttpRequest.newBuilder(base.resolve("/v1/anything?x=1"))
                        .header("X-Job-Id", job)
                        .POST(HttpRequest.BodyPublishers.ofString("{\"some\":\"body\"}"))
                        .timeout(Duration.ofSeconds(10))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
