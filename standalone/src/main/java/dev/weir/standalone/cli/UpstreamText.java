package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.config.Durations;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/** Upstreams as lines for a person, from what the HTTP interface tells of them. */
final class UpstreamText {
    private static final List<String> COLUMNS =
            List.of("NAME", "STATE", "HELD BY", "USED", "WAITING", "IN FLIGHT", "DRAINED AT");
    private static final String NOTHING = "-";

    private UpstreamText() {}

    /** One line for each. */
    static void table(PrintWriter out, JsonNode upstreams) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(COLUMNS);
        for (JsonNode upstream : upstreams) {
            JsonNode queue = upstream.path("queue");
            rows.add(List.of(
                    upstream.path("name").asText(),
                    state(upstream),
                    orNothing(upstream.path("heldBy")),
                    joined(
                            upstream.path("windows"),
                            w -> w.path("used").asText() + "/"
                                    + w.path("budget").asText() + " " + duration(w.path("per"))),
                    queue.path("waiting").asText(),
                    queue.path("inFlight").asText(),
                    orNothing(queue.path("drainedAt"))));
        }
        int[] widths = new int[COLUMNS.size()];
        for (List<String> row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        for (List<String> row : rows) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i)).append(" ".repeat(widths[i] - row.get(i).length() + 2));
            }
            out.println(line.toString().stripTrailing());
        }
    }

    /** One in full. */
    static void print(PrintWriter out, JsonNode upstream) {
        JsonNode queue = upstream.path("queue");
        line(out, "name", upstream.path("name").asText());
        line(out, "state", state(upstream));
        line(out, "held by", orNothing(upstream.path("heldBy")));
        line(out, "circuit", upstream.path("circuit").asText());
        for (JsonNode window : upstream.path("windows")) {
            line(
                    out,
                    "used",
                    window.path("used").asText() + " of "
                            + window.path("budget").asText() + " per "
                            + duration(window.path("per")) + " (the limit is "
                            + window.path("limit").asText() + ")"
                            + (window.path("fullUntil").isTextual()
                                    ? ", full until " + window.path("fullUntil").asText()
                                    : ""));
        }
        line(out, "waiting", queue.path("waiting").asText());
        line(out, "scheduled", queue.path("scheduled").asText());
        line(out, "retrying", queue.path("retrying").asText());
        line(out, "in flight", queue.path("inFlight").asText());
        line(out, "oldest job", orNothing(queue.path("oldestAcceptedAt")));
        line(out, "drained at", orNothing(queue.path("drainedAt")));
        line(out, "revision", upstream.path("revision").asText());
        settings(out, upstream.path("settings"));
    }

    /** The settings alone. */
    static void settings(PrintWriter out, JsonNode settings) {
        if (!settings.isObject()) {
            return;
        }
        line(
                out,
                "limits",
                joined(settings.path("limits"), l -> l.path("permits").asText() + "/" + duration(l.path("per"))));
        line(out, "utilization", settings.path("utilization").asText());
        line(out, "burst", settings.path("burst").asText());
        line(out, "max in flight", settings.path("maxInFlight").asText());
        line(out, "permit ttl", duration(settings.path("permitTtl")));
        line(out, "timeout", duration(settings.path("timeout")));
        JsonNode delays = settings.at("/retry/delays");
        line(out, "retry", delays.isEmpty() ? "none" : "after " + joined(delays, UpstreamText::duration));
        JsonNode breaker = settings.path("circuitBreaker");
        line(
                out,
                "breaker",
                breaker.path("failures").asText() + " failures, open " + duration(breaker.path("open")) + ", "
                        + breaker.path("probes").asText() + " probes");
        JsonNode priorities = settings.at("/weights/priorities");
        line(
                out,
                "priorities",
                "high=" + priorities.path("high").asText() + ", normal="
                        + priorities.path("normal").asText() + ", low="
                        + priorities.path("low").asText());
        String weights = settings.at("/weights/tenants").properties().stream()
                .map(tenant -> tenant.getKey() + "=" + tenant.getValue().asText())
                .collect(Collectors.joining(", "));
        line(out, "weights", weights.isEmpty() ? "1 for each tenant" : weights + "; 1 for others");
    }

    private static void line(PrintWriter out, String name, String value) {
        out.printf("%-13s %s%n", name, value);
    }

    private static String state(JsonNode upstream) {
        return upstream.path("removed").asBoolean()
                ? "removed"
                : upstream.path("state").asText();
    }

    private static String orNothing(JsonNode value) {
        return value.isNull() || value.isMissingNode() ? NOTHING : value.asText();
    }

    private interface Text {
        String of(JsonNode node);
    }

    private static String joined(JsonNode list, Text text) {
        return StreamSupport.stream(list.spliterator(), false).map(text::of).collect(Collectors.joining(", "));
    }

    private static String duration(JsonNode iso) {
        Duration duration = Durations.parse(iso.asText());
        return duration == null ? iso.asText() : Durations.text(duration);
    }
}
