package dev.weir.contracts.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import io.openapiprocessor.jsonschema.ouput.OutputConverter;
import io.openapiprocessor.jsonschema.ouput.OutputUnit;
import io.openapiprocessor.jsonschema.reader.UriReader;
import io.openapiprocessor.jsonschema.schema.DocumentLoader;
import io.openapiprocessor.jsonschema.schema.JsonInstance;
import io.openapiprocessor.jsonschema.schema.Output;
import io.openapiprocessor.jsonschema.schema.SchemaStore;
import io.openapiprocessor.jsonschema.schema.SchemaVersion;
import io.openapiprocessor.jsonschema.validator.Validator;
import io.openapiprocessor.jsonschema.validator.ValidatorSettings;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Validates an OpenAPI 3.1 document by the schemas that OpenAPI publishes, and values by the document's own. */
final class Schemas {
    private static final String OPENAPI = "https://spec.openapis.org/oas/3.1/";
    /** With it, each schema in a document is judged as one of OpenAPI's dialect of JSON Schema. */
    private static final String WHOLE = "schema-base/2025-09-15";

    private static final URI DOCUMENT = URI.create("https://weir.invalid/openapi.json");

    private final SchemaStore store =
            new SchemaStore(new DocumentLoader(new UriReader(), text -> plain(tree(text.getBytes()))));
    private final JsonNode document;
    private int schemas;

    Schemas(JsonNode document) {
        this.document = document;
        store.registerDraft202012();
        for (String name : List.of("schema/2025-09-15", WHOLE, "dialect/2024-11-10", "meta/2024-11-10")) {
            store.register(URI.create(OPENAPI + name), plain(tree(DocsPage.read("/openapi/3.1/" + name))));
        }
        store.register(DOCUMENT, plain(document));
    }

    static JsonNode tree(byte[] json) {
        try {
            return Json.MAPPER.readTree(new String(json, java.nio.charset.StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is wrong with the document; empty when nothing is. */
    List<String> problems() {
        return problems(URI.create(OPENAPI + WHOLE), document, false);
    }

    /**
     * What is wrong with a value; empty when nothing is.
     *
     * @param pointer to the schema within the document, as in {@code /components/schemas/Job}
     */
    List<String> problems(String pointer, JsonNode value) {
        URI schema = URI.create("https://weir.invalid/schema/" + schemas++);
        // As a URI's fragment, in which the library takes + for a space.
        String fragment = pointer.replace("+", "%2B").replace("{", "%7B").replace("}", "%7D");
        store.register(
                schema,
                Map.of("$schema", "https://json-schema.org/draft/2020-12/schema", "$ref", DOCUMENT + "#" + fragment));
        return problems(schema, value, true);
    }

    private List<String> problems(URI schema, JsonNode value, boolean formats) {
        ValidatorSettings settings = new ValidatorSettings();
        settings.setOutput(Output.BASIC);
        if (formats) {
            settings.enableFormat();
        }
        var step = new Validator(settings)
                .validate(store.getSchema(schema, SchemaVersion.Draft202012), new JsonInstance(plain(value)));
        Collection<OutputUnit> errors =
                new OutputConverter(Output.BASIC).convert(step).getErrors();
        return step.isValid()
                ? List.of()
                : errors.stream()
                        .map(error -> error.getInstanceLocation() + " " + error.getError())
                        .toList();
    }

    private static Object plain(JsonNode tree) {
        return Json.MAPPER.convertValue(tree, Object.class);
    }
}
