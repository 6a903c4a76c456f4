package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.Set;

/** A job as lines for a person. */
final class JobText {
    private static final Set<String> ENDS = Set.of("succeeded", "dead", "cancelled", "expired");

    private JobText() {}

    static void print(PrintWriter out, JsonNode job) {
        for (String field : new String[] {
            "id", "upstream", "status", "attempts", "acceptedAt", "updatedAt", "position", "eta", "finishedAt", "error"
        }) {
            JsonNode value = job.path(field);
            if (!value.isNull() && !value.isMissingNode()) {
                out.printf("%-11s %s%n", field, value.asText());
            }
        }
        JsonNode result = job.path("result");
        if (result.isObject()) {
            out.printf("%-11s HTTP %d%n", "result", result.path("status").asInt());
            JsonNode body = result.path("body");
            if (!body.isNull() && !body.isMissingNode()) {
                out.println(body.isTextual() ? body.asText() : body.toString());
            }
        } else if (job.path("resultPending").asBoolean()) {
            out.printf("%-11s not stored yet%n", "result");
        }
    }

    static boolean finished(JsonNode job) {
        return ENDS.contains(job.path("status").asText());
    }
}
