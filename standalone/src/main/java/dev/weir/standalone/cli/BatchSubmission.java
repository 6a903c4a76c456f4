package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.standalone.client.WeirClient;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * Many jobs through {@code POST /v1/jobs/batch}, in parts of so many lines, a few on their way at once. Prints each line's
 * answer in order. Not thread-safe.
 */
final class BatchSubmission {
    static final int MOST_PARTS_IN_FLIGHT = 4;
    /** A part is sent when it has so many bytes, however few lines these are. */
    static final int PART_BYTES = 1024 * 1024;

    private final WeirClient client;
    private final PrintWriter out;
    private final boolean json;
    private final @Nullable String key;
    private final Queue<Part> open = new ArrayDeque<>();
    private long parts;
    private long lines;
    private long accepted;
    private long failed;
    private boolean stopped;
    private @Nullable String firstProblem;

    /** Where the lines come from: null after the last. */
    interface Source {
        byte @Nullable [] next() throws IOException;
    }

    private record Part(long firstLine, List<byte[]> lines, CompletableFuture<WeirClient.BatchReply> reply) {}

    /** @param key of all of them: sent again with it, each line is the job that it was; null for none */
    BatchSubmission(WeirClient client, PrintWriter out, boolean json, @Nullable String key) {
        this.client = client;
        this.out = out;
        this.json = json;
        this.key = key;
    }

    /** @throws CliException when any was not accepted, saying how many, and why the first was not */
    void run(Source source) throws IOException {
        List<byte[]> part = new ArrayList<>();
        int bytes = 0;
        for (byte[] line = source.next(); line != null && !stopped; line = source.next()) {
            if (!part.isEmpty() && (part.size() == WeirClient.MOST_LINES || bytes + line.length > PART_BYTES)) {
                send(part);
                part = new ArrayList<>();
                bytes = 0;
            }
            part.add(line);
            bytes += line.length;
        }
        if (!part.isEmpty() && !stopped) {
            send(part);
        }
        while (!open.isEmpty()) {
            report(open.remove());
        }
        if (failed > 0) {
            throw new CliException(failed + " of " + (accepted + failed) + " jobs were not accepted"
                    + (stopped ? ", and nothing after line " + lines + " was sent" : "") + "; the first: "
                    + firstProblem);
        }
    }

    private void send(List<byte[]> part) {
        if (open.size() == MOST_PARTS_IN_FLIGHT) {
            report(open.remove());
        }
        parts++;
        open.add(new Part(lines + 1, part, client.submitAll(part, key == null ? null : key + "/" + parts)));
        lines += part.size();
    }

    private void report(Part part) {
        WeirClient.BatchReply reply = client.await(part.reply());
        for (JsonNode answer : reply.lines()) {
            answer(part, answer);
        }
        long unanswered = part.lines().stream().filter(line -> !isBlank(line)).count()
                - reply.lines().size();
        if (unanswered > 0) {
            // All of a part that was refused as a whole; else what comes after the answer that ended it.
            stopped = true;
            failed += unanswered;
            String which = "lines " + part.firstLine() + " to "
                    + (part.firstLine() + part.lines().size() - 1);
            problem(
                    reply.whole().ok()
                            ? which + ": the batch broke off, " + unanswered + " of them have no answer"
                            : which + ": " + reply.whole().problem());
        }
    }

    private void answer(Part part, JsonNode answer) {
        long line = part.firstLine() + answer.path("line").asLong() - 1;
        JsonNode problem = answer.path("problem");
        if (json) {
            out.println(((ObjectNode) answer.deepCopy()).put("line", line));
        }
        if (problem.isMissingNode()) {
            accepted++;
            if (!json) {
                out.println(answer.path("id").asText());
            }
            return;
        }
        failed++;
        String text = "line " + line + ": "
                + WeirClient.problem(problem.path("status").asInt(), problem);
        if (!json) {
            out.println("not accepted: " + text);
        }
        problem(text);
    }

    private void problem(String text) {
        if (firstProblem == null) {
            firstProblem = text;
        }
    }

    private static boolean isBlank(byte[] line) {
        for (byte b : line) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }
}
