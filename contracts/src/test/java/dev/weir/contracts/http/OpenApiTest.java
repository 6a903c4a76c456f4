package dev.weir.contracts.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.access.AccessRules;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** {@code /openapi.json}: sound by OpenAPI's own schemas, and true in itself. */
class OpenApiTest {
    private static final Set<String> METHODS = Set.of("get", "post", "put", "patch", "delete");

    private final JsonNode document = Schemas.tree(DocsPage.read("/openapi.json"));

    private interface Each {
        void operation(String path, String method, JsonNode operation);
    }

    @Test
    void shouldBeValid_byTheSchemasOfOpenApi() {
        assertThat(document.path("openapi").asText()).startsWith("3.1.");
        assertThat(new Schemas(document).problems()).isEmpty();
    }

    @Test
    void shouldNotBeValid_whenTheDocumentOrASchemaInItIsBroken() {
        ObjectNode noDescription = document.deepCopy();
        ((ObjectNode) noDescription.at("/paths/~1v1~1jobs/post/responses/202")).remove("description");
        ObjectNode badSchema = document.deepCopy();
        ((ObjectNode) badSchema.at("/components/schemas/Job/properties/attempts")).put("minimum", "none");
        ObjectNode unknownField = document.deepCopy();
        ((ObjectNode) unknownField.at("/info")).put("licence", "x");

        assertThat(new Schemas(noDescription).problems()).isNotEmpty();
        assertThat(new Schemas(badSchema).problems()).isNotEmpty();
        assertThat(new Schemas(unknownField).problems()).isNotEmpty();
    }

    @Test
    void shouldHaveExamplesThatFollowTheirSchemas() {
        Schemas schemas = new Schemas(document);
        List<String> wrong = new ArrayList<>();
        int[] seen = {0};
        media(document, "", (pointer, media) -> {
            Map<String, JsonNode> examples = new java.util.LinkedHashMap<>();
            if (media.has("example")) {
                examples.put("example", media.get("example"));
            }
            media.path("examples")
                    .properties()
                    .forEach(e -> examples.put(e.getKey(), e.getValue().path("value")));
            examples.forEach((name, value) -> {
                seen[0]++;
                schemas.problems(pointer + "/schema", value)
                        .forEach(problem -> wrong.add(pointer + " " + name + ": " + problem));
            });
        });

        assertThat(wrong).isEmpty();
        assertThat(seen[0]).isGreaterThan(10);
    }

    @Test
    void shouldPointOnlyToWhatIsThere_andHoldNothingThatNobodyPointsTo() {
        Set<String> pointed = new HashSet<>();
        for (JsonNode ref : document.findValues("$ref")) {
            String pointer = ref.asText().substring(1);
            assertThat(document.at(pointer).isMissingNode()).as(pointer).isFalse();
            pointed.add(pointer);
        }
        document.path("components").properties().forEach(kind -> {
            if (!kind.getKey().equals("securitySchemes")) {
                kind.getValue()
                        .fieldNames()
                        .forEachRemaining(
                                name -> assertThat(pointed).contains("/components/" + kind.getKey() + "/" + name));
            }
        });
    }

    @Test
    void shouldSayOfEachOperationWhatItNeeds() {
        Set<String> ids = new HashSet<>();
        Set<String> tags = new HashSet<>(document.path("tags").findValuesAsText("name"));
        operations((path, method, operation) -> {
            String name = method.toUpperCase(Locale.ROOT) + " " + path;
            assertThat(ids.add(operation.path("operationId").asText())).as(name).isTrue();
            assertThat(operation.path("summary").asText()).as(name).isNotBlank();
            assertThat(tags).as(name).contains(operation.at("/tags/0").asText());
            Set<String> named = new HashSet<>();
            operation.path("parameters").forEach(p -> {
                if (p.path("in").asText().equals("path")) {
                    named.add("{" + p.path("name").asText() + "}");
                }
            });
            assertThat(named)
                    .as(name)
                    .containsExactlyInAnyOrderElementsOf(List.of(path.split("/", -1)).stream()
                            .filter(step -> step.startsWith("{"))
                            .toList());
            assertThat(AccessRules.covers(method.toUpperCase(Locale.ROOT), path))
                    .as(name)
                    .isTrue();
            boolean open = AccessRules.isOpen(method.toUpperCase(Locale.ROOT), path);
            assertThat(operation.has("security")).as(name).isEqualTo(open);
            for (String refused : List.of("401", "403", "429")) {
                assertThat(operation.path("responses").has(refused)).as(name).isEqualTo(!open);
            }
        });
    }

    @Test
    void shouldShowThePage_withoutAskingAnyOtherHost() throws Exception {
        try (HttpServer server = new HttpServer(
                "127.0.0.1", 0, 1024, List.of(), Map.of(), new PrometheusMeterRegistry(PrometheusConfig.DEFAULT))) {
            HttpResponse<String> page = get(server, "/docs");
            assertThat(page.statusCode()).isEqualTo(200);
            assertThat(page.body()).doesNotContain("http:", "https:", "//");
            assertThat(page.headers().firstValue("Content-Security-Policy").orElse(""))
                    .startsWith("default-src 'none'; script-src 'self'");
            for (String file : List.of("swagger-ui-bundle.js", "swagger-ui.css", "docs.js", "favicon-32x32.png")) {
                assertThat(page.body().contains(file)).as(file).isTrue();
                assertThat(get(server, "/docs/" + file).statusCode()).as(file).isEqualTo(200);
            }
            assertThat(get(server, "/docs/").headers().firstValue("Location")).hasValue("../docs");
            for (String path : List.of("/docs/index.html", "/docs/..%2fopenapi.json", "/docs/pom.properties")) {
                assertThat(get(server, path).statusCode()).as(path).isGreaterThanOrEqualTo(400);
            }
            assertThat(Schemas.tree(
                            get(server, "/openapi.json").body().getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                    .isEqualTo(document);
        }
    }

    private static HttpResponse<String> get(HttpServer server, String path) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + path))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
    }

    private void operations(Each each) {
        document.path("paths")
                .properties()
                .forEach(path -> path.getValue().properties().stream()
                        .filter(method -> METHODS.contains(method.getKey()))
                        .forEach(method -> each.operation(path.getKey(), method.getKey(), method.getValue())));
    }

    /** Every media type object, by its pointer. */
    private static void media(JsonNode node, String pointer, BiConsumer<String, JsonNode> each) {
        if (node.isObject()) {
            node.properties().forEach(child -> {
                String at = pointer + "/" + CallRules.escape(child.getKey());
                if (child.getKey().equals("content") && child.getValue().isObject()) {
                    child.getValue()
                            .properties()
                            .forEach(type -> each.accept(at + "/" + CallRules.escape(type.getKey()), type.getValue()));
                }
                media(child.getValue(), at, each);
            });
        } else if (node.isArray()) {
            for (int i = 0; i < node.size(); i++) {
                media(node.get(i), pointer + "/" + i, each);
            }
        }
    }
}
