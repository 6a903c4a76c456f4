package dev.weir.standalone.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.client.WeirClient;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weir jobs submit}. */
@Command(name = "submit", description = "Submits a job, or several alike; prints each one's id.", sortOptions = false)
final class JobsSubmitCommand implements Callable<Integer> {
    private static final int MOST_JOBS = 1_000_000;
    private static final int MOST_IN_FLIGHT = 64;
    private static final int MAX_BODY_BYTES = 16 * 1024 * 1024;

    @Option(names = "--upstream", required = true, paramLabel = "NAME", description = "Which upstream to call.")
    String upstream = "";

    @Option(names = "--path", required = true, paramLabel = "PATH", description = "Starts with /, may carry a query.")
    String path = "";

    @Option(names = "--method", paramLabel = "METHOD", description = "POST unless set.")
    @Nullable
    String method;

    @Option(names = "--header", paramLabel = "NAME:VALUE", description = "Of the call; may be repeated.")
    List<String> headers = List.of();

    @Option(
            names = "--body",
            paramLabel = "BODY",
            description = "JSON (or text, with a Content-Type header); @FILE reads a file, - standard input.")
    @Nullable
    String body;

    @Option(names = "--priority", paramLabel = "PRIORITY", description = "high, normal or low.")
    @Nullable
    String priority;

    @Option(names = "--idempotency-key", paramLabel = "KEY", description = "The same key gives the same job.")
    @Nullable
    String idempotencyKey;

    @Option(names = "--count", paramLabel = "N", description = "So many jobs (${DEFAULT-VALUE}).", defaultValue = "1")
    int count = 1;

    @Mixin
    ClientOptions options = new ClientOptions();

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (spec == null) {
            throw new IllegalStateException("not run by the command line");
        }
        if (count < 1 || count > MOST_JOBS) {
            throw new ParameterException(spec.commandLine(), "--count: expected 1 to " + MOST_JOBS);
        }
        if (count > 1 && idempotencyKey != null) {
            throw new ParameterException(
                    spec.commandLine(), "--count and --idempotency-key exclude each other: one key is one job");
        }
        JsonNode job = job(spec);
        WeirClient client = options.client();
        PrintWriter out = spec.commandLine().getOut();
        Queue<CompletableFuture<WeirClient.Reply>> open = new ArrayDeque<>();
        int failed = 0;
        String firstProblem = "";
        for (int sent = 0; sent < count || !open.isEmpty(); ) {
            if (sent < count && open.size() < MOST_IN_FLIGHT) {
                open.add(client.submit(job, idempotencyKey));
                sent++;
            } else {
                WeirClient.Reply reply = client.await(open.remove());
                report(out, reply);
                if (!reply.ok()) {
                    firstProblem = failed == 0 ? reply.problem() : firstProblem;
                    failed++;
                }
            }
        }
        if (failed > 0) {
            throw new CliException(
                    count == 1
                            ? "not accepted: " + firstProblem
                            : failed + " of " + count + " jobs were not accepted; the first: " + firstProblem);
        }
        return 0;
    }

    private void report(PrintWriter out, WeirClient.Reply reply) {
        if (options.json) {
            out.println(reply.body());
        } else if (reply.ok()) {
            JsonNode eta = reply.body().path("eta");
            out.println(reply.body().path("id").asText() + (eta.isTextual() ? "  eta " + eta.asText() : ""));
        } else if (count > 1) {
            out.println("not accepted: " + reply.problem());
        }
    }

    private JsonNode job(CommandSpec command) throws IOException {
        ObjectNode job = Json.MAPPER.createObjectNode().put("upstream", upstream);
        ObjectNode request = job.putObject("request").put("path", path);
        if (method != null) {
            request.put("method", method);
        }
        Map<String, String> named = new LinkedHashMap<>();
        for (String header : headers) {
            int colon = header.indexOf(':');
            if (colon < 1) {
                throw new ParameterException(
                        command.commandLine(), "--header: expected NAME:VALUE, but it is " + header);
            }
            named.put(
                    header.substring(0, colon).strip(),
                    header.substring(colon + 1).strip());
        }
        if (!named.isEmpty()) {
            request.set("headers", Json.MAPPER.valueToTree(named));
        }
        if (body != null) {
            putBody(request, read(body), named, command);
        }
        if (priority != null) {
            job.put("priority", priority.toLowerCase(Locale.ROOT));
        }
        return job;
    }

    /** JSON goes out as it was given, to the last space and digit: read as a tree it would lose some. */
    private static void putBody(ObjectNode request, String text, Map<String, String> headers, CommandSpec command) {
        if (text.isBlank()) {
            throw new ParameterException(command.commandLine(), "--body is empty; leave it out for a call without one");
        }
        boolean otherType = headers.entrySet().stream()
                .anyMatch(header -> header.getKey().equalsIgnoreCase("Content-Type")
                        && !header.getValue().toLowerCase(Locale.ROOT).contains("json"));
        if (otherType) {
            request.put("body", text);
            return;
        }
        try {
            JsonNode unused = Json.MAPPER
                    .reader()
                    .with(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .readTree(text);
            request.putRawValue("body", new RawValue(text));
        } catch (JsonProcessingException e) {
            throw new ParameterException(
                    command.commandLine(),
                    "--body is no JSON (" + e.getOriginalMessage()
                            + "); for text, say --header Content-Type:text/plain",
                    e);
        }
    }

    private static String read(String body) throws IOException {
        byte[] bytes;
        if (body.equals("-")) {
            bytes = System.in.readNBytes(MAX_BODY_BYTES + 1);
        } else if (body.startsWith("@")) {
            Path file = Path.of(body.substring(1));
            if (!Files.isReadable(file)) {
                throw new CliException("--body: " + file + " cannot be read");
            }
            try (var in = Files.newInputStream(file)) {
                bytes = in.readNBytes(MAX_BODY_BYTES + 1);
            }
        } else {
            return body;
        }
        if (bytes.length > MAX_BODY_BYTES) {
            throw new CliException("--body is larger than " + MAX_BODY_BYTES + " bytes");
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            throw new CliException("--body is no UTF-8 text", e);
        }
    }
}
