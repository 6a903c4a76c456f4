package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.SettingsPatch;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** What {@code /openapi.json} shows as bodies of requests is what the ingress takes. */
class OpenApiExamplesTest {
    private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
    private static final UpstreamSettings SETTINGS = UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)));
    private static final String UNDER_CONTENT = "/requestBody/content/";

    private final JsonNode document = document();
    private final JobParser parser = new JobParser(new Upstreams(
            new WeirConfig(
                    Map.of("gemini", new UpstreamConfig("gemini", URI.create("http://127.0.0.1:9"), SETTINGS, null)),
                    WeirConfig.DEFAULT_MAX_BODY_BYTES),
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT)));

    @Test
    void shouldTakeEveryExampleOfAJob() {
        JsonNode examples = document.at("/paths/~1v1~1jobs/post" + UNDER_CONTENT + "application~1json/examples");

        assertThat(examples).hasSizeGreaterThanOrEqualTo(4);
        examples.properties()
                .forEach(example -> assertThat(
                                parser.parse(Json.bytes(example.getValue().path("value")), NOW))
                        .as(example.getKey())
                        .isInstanceOf(Parsed.Sound.class));
    }

    @Test
    void shouldTakeEveryLineOfABatch() {
        JsonNode examples =
                document.at("/paths/~1v1~1jobs~1batch/post" + UNDER_CONTENT + "application~1x-ndjson/examples");

        examples.properties()
                .forEach(example -> example.getValue()
                        .path("value")
                        .asText()
                        .lines()
                        .forEach(line -> assertThat(parser.parse(line.getBytes(StandardCharsets.UTF_8), NOW))
                                .as(line)
                                .isInstanceOf(Parsed.Sound.class)));
    }

    @Test
    void shouldTakeEveryExampleOfAPatch() {
        JsonNode examples = document.at(
                "/paths/~1v1~1upstreams~1{name}/patch" + UNDER_CONTENT + "application~1merge-patch+json/examples");

        assertThat(examples).hasSizeGreaterThanOrEqualTo(3);
        examples.properties().forEach(example -> {
            JsonNode patch = example.getValue().path("value").deepCopy();
            ((com.fasterxml.jackson.databind.node.ObjectNode) patch).remove(UpstreamChanges.ASSUME_UNUSED);
            assertThat(SettingsPatch.apply(SETTINGS, patch).errors())
                    .as(example.getKey())
                    .isEmpty();
        });
    }

    private static JsonNode document() {
        try (InputStream in = Objects.requireNonNull(OpenApiExamplesTest.class.getResourceAsStream("/openapi.json"))) {
            return Json.MAPPER.readTree(in.readAllBytes());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
