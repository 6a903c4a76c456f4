package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.client.WeirClient;
import java.io.PrintWriter;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code weir jobs list}. */
@Command(name = "list", description = "Lists jobs, the newest first.")
final class JobsListCommand extends PrintingCommand {
    /** Of one request. */
    private static final int PAGE = 500;
    /** They are printed together. */
    private static final int MOST_JOBS = 100_000;

    private static final String FORMAT = "%-36s  %-10s  %-16s  %-24s  %s%n";

    @Option(
            names = "--status",
            paramLabel = "STATUS[,STATUS]",
            description =
                    "Only these: accepted, scheduled, queued, dispatched, retrying, succeeded, dead, cancelled, expired.")
    @Nullable
    String status;

    @Option(names = "--upstream", paramLabel = "NAME", description = "Only this upstream's.")
    @Nullable
    String upstream;

    @Option(names = "--tenant", paramLabel = "NAME", description = "Only this tenant's; for operators and analysts.")
    @Nullable
    String tenant;

    @Option(
            names = "--from",
            paramLabel = "TIME",
            description = "Accepted then or later, such as 2026-11-22T10:00:00Z.")
    @Nullable
    String from;

    @Option(names = "--to", paramLabel = "TIME", description = "Accepted before then.")
    @Nullable
    String to;

    @Option(
            names = "--limit",
            paramLabel = "N",
            description = "At most so many (${DEFAULT-VALUE}).",
            defaultValue = "50")
    int limit = 50;

    @Option(names = "--cursor", paramLabel = "CURSOR", description = "Goes on where an earlier list ended.")
    @Nullable
    String cursor;

    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() {
        if (limit < 1 || limit > MOST_JOBS) {
            throw new CliException("--limit: expected 1 to " + MOST_JOBS + ", but it is " + limit
                    + "; --cursor goes on where a list ended");
        }
        WeirClient client = options.client();
        ArrayNode jobs = Json.MAPPER.createArrayNode();
        String next = cursor;
        do {
            WeirClient.Reply reply = client.await(client.jobs(query(Math.min(PAGE, limit - jobs.size()), next)));
            if (!reply.ok()) {
                throw new CliException(reply.problem());
            }
            reply.body().path("jobs").forEach(jobs::add);
            next = reply.body().path("next").textValue();
        } while (next != null && jobs.size() < limit);
        print(out(), jobs, next);
        return 0;
    }

    private Map<String, String> query(int page, @Nullable String after) {
        Map<String, String> query = new LinkedHashMap<>();
        put(query, "status", status);
        put(query, "upstream", upstream);
        put(query, "tenant", tenant);
        put(query, "from", from);
        put(query, "to", to);
        put(query, "cursor", after);
        query.put("limit", Integer.toString(page));
        return query;
    }

    private static void put(Map<String, String> query, String name, @Nullable String value) {
        if (value != null) {
            query.put(name, value);
        }
    }

    private void print(PrintWriter out, ArrayNode jobs, @Nullable String next) {
        if (options.json) {
            ObjectNode list = Json.MAPPER.createObjectNode();
            list.set("jobs", jobs);
            list.put("next", next);
            out.println(list);
            return;
        }
        out.printf(FORMAT, "ID", "STATUS", "UPSTREAM", "ACCEPTED", "ENDED OR ETA");
        for (JsonNode job : jobs) {
            JsonNode end = job.path("finishedAt").isTextual() ? job.path("finishedAt") : job.path("eta");
            out.printf(
                    FORMAT,
                    job.path("id").asText(),
                    job.path("status").asText(),
                    job.path("upstream").asText(),
                    seconds(job.path("acceptedAt")),
                    end.isTextual() ? seconds(end) : "-");
        }
        if (next != null) {
            out.println("there are more: --cursor " + next);
        }
    }

    private static String seconds(JsonNode time) {
        return Instant.parse(time.asText()).truncatedTo(ChronoUnit.MILLIS).toString();
    }
}
