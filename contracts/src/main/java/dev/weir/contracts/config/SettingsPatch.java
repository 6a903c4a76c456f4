package dev.weir.contracts.config;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.http.Problem.FieldError;
import dev.weir.contracts.kafka.Json;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A change of an upstream's settings, under the names of the configuration file, as a merge patch (RFC 7396). */
public final class SettingsPatch {
    private SettingsPatch() {}

    /** The settings after the change; null when something is wrong, which the errors then say. */
    public record Result(@Nullable UpstreamSettings settings, List<FieldError> errors) {
        public Result {
            errors = List.copyOf(errors);
        }
    }

    /** Applies a patch; {@code null} in it brings a default back. */
    public static Result apply(UpstreamSettings current, JsonNode patch) {
        ConfigProblems problems = new ConfigProblems("", Map.of());
        JsonNode merged = merged(Json.MAPPER.valueToTree(current), patch);
        UpstreamSettings settings = new ConfigReader(null, problems).settings(merged);
        List<FieldError> errors = problems.all().stream()
                .map(found -> new FieldError(pointer(found.where()), found.detail()))
                .toList();
        return new Result(errors.isEmpty() ? settings : null, errors);
    }

    private static JsonNode merged(JsonNode target, JsonNode patch) {
        if (!(patch instanceof ObjectNode changes)) {
            return patch;
        }
        ObjectNode result = target instanceof ObjectNode object ? object : Json.MAPPER.createObjectNode();
        changes.properties().forEach(change -> {
            if (change.getValue().isNull()) {
                result.remove(change.getKey());
            } else {
                result.set(change.getKey(), merged(result.path(change.getKey()), change.getValue()));
            }
        });
        return result;
    }

    /** {@code limits[0].permits} as the JSON pointer {@code /limits/0/permits}. */
    private static String pointer(String path) {
        return path.isEmpty()
                ? ""
                : "/"
                        + path.replace("~", "~0")
                                .replace("/", "~1")
                                .replace("[", "/")
                                .replace("]", "")
                                .replace(".", "/");
    }
}
