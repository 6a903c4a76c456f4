package dev.weir.standalone.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.util.RawValue;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.client.WeirClient;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code weir jobs submit}. */
@Command(name = "submit", description = "Submits a job, or many; prints each one's id.", sortOptions = false)
final class JobsSubmitCommand extends PrintingCommand {
    private static final int MOST_JOBS = 1_000_000;
    private static final int MAX_BODY_BYTES = 16 * 1024 * 1024;

    @Option(names = "--upstream", paramLabel = "NAME", description = "Which upstream to call.")
    @Nullable
    String upstream;

    @Option(names = "--path", paramLabel = "PATH", description = "Starts with /, may carry a query.")
    @Nullable
    String path;

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

    @Option(
            names = "--idempotency-key",
            paramLabel = "KEY",
            description = "The same key gives the same job; of many, each the job that it was.")
    @Nullable
    String idempotencyKey;

    @Option(names = "--count", paramLabel = "N", description = "So many jobs (${DEFAULT-VALUE}).", defaultValue = "1")
    int count = 1;

    @Option(
            names = "--batch",
            paramLabel = "FILE",
            description = "Many jobs, one a line, each as POST /v1/jobs takes it, instead of the options above;"
                    + " - is standard input.")
    @Nullable
    String batch;

    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() throws IOException {
        if (count < 1 || count > MOST_JOBS) {
            throw new ParameterException(commandLine(), "--count: expected 1 to " + MOST_JOBS);
        }
        WeirClient client = options.client();
        PrintWriter out = out();
        if (batch != null) {
            if (upstream != null
                    || path != null
                    || method != null
                    || !headers.isEmpty()
                    || body != null
                    || priority != null
                    || count != 1) {
                throw new ParameterException(
                        commandLine(), "--batch: each line says all of its job; no other option does");
            }
            try (InputStream in = open(batch)) {
                new BatchSubmission(client, out, options.json, idempotencyKey).run(new NdjsonLines(in)::next);
            }
            return 0;
        }
        JsonNode job = job();
        if (count > 1) {
            byte[] line = oneLine(Json.bytes(job));
            int[] left = {count};
            new BatchSubmission(client, out, options.json, idempotencyKey).run(() -> left[0]-- > 0 ? line : null);
            return 0;
        }
        WeirClient.Reply reply = client.await(client.submit(job, idempotencyKey));
        if (options.json) {
            out.println(reply.body());
        }
        if (!reply.ok()) {
            throw new CliException("not accepted: " + reply.problem());
        }
        if (!options.json) {
            JsonNode eta = reply.body().path("eta");
            out.println(reply.body().path("id").asText() + (eta.isTextual() ? "  eta " + eta.asText() : ""));
        }
        return 0;
    }

    /** A line's end in JSON is white space, as a blank is: within a string it is escaped. */
    private static byte[] oneLine(byte[] json) {
        for (int i = 0; i < json.length; i++) {
            if (json[i] == '\n' || json[i] == '\r') {
                json[i] = ' ';
            }
        }
        return json;
    }

    private static InputStream open(String file) throws IOException {
        if (file.equals("-")) {
            return System.in;
        }
        if (!Files.isReadable(Path.of(file))) {
            throw new CliException("--batch: " + file + " cannot be read");
        }
        return Files.newInputStream(Path.of(file));
    }

    private JsonNode job() throws IOException {
        if (upstream == null || path == null) {
            throw new ParameterException(
                    commandLine(), "expected --upstream and --path, or --batch with a job on each line");
        }
        ObjectNode job = Json.MAPPER.createObjectNode().put("upstream", upstream);
        ObjectNode request = job.putObject("request").put("path", path);
        if (method != null) {
            request.put("method", method);
        }
        Map<String, String> named = new LinkedHashMap<>();
        for (String header : headers) {
            int colon = header.indexOf(':');
            if (colon < 1) {
                throw new ParameterException(commandLine(), "--header: expected NAME:VALUE, but it is " + header);
            }
            named.put(
                    header.substring(0, colon).strip(),
                    header.substring(colon + 1).strip());
        }
        if (!named.isEmpty()) {
            request.set("headers", Json.MAPPER.valueToTree(named));
        }
        if (body != null) {
            putBody(request, read(body), named);
        }
        if (priority != null) {
            job.put("priority", priority.toLowerCase(Locale.ROOT));
        }
        return job;
    }

    /** JSON goes out as it was given, to the last space and digit: read as a tree it would lose some. */
    private void putBody(ObjectNode request, String text, Map<String, String> headers) {
        if (text.isBlank()) {
            throw new ParameterException(commandLine(), "--body is empty; leave it out for a call without one");
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
                    commandLine(),
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
