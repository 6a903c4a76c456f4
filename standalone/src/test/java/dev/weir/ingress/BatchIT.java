package dev.weir.ingress;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.standalone.EmbeddedKafka;
import dev.weir.standalone.cli.WeirCommand;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Batches, over real HTTP and a real broker. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class BatchIT {
    private static final int LINES = Integer.getInteger("weir.lines", 2_000);

    private final HttpClient client = HttpClient.newHttpClient();

    @SuppressWarnings("NullAway.Init")
    private EmbeddedKafka kafka;

    @SuppressWarnings("NullAway.Init")
    private RunningIngress ingress;

    @BeforeAll
    void start(@TempDir Path dir) throws Exception {
        kafka = new EmbeddedKafka(dir.resolve("kafka"), 0);
        ingress = new RunningIngress(kafka.bootstrapServers(), dir, "plain");
    }

    @AfterAll
    void stop() throws Exception {
        ingress.close();
        kafka.close();
    }

    @Test
    void shouldAnswerEachLineInItsPlace_andTakeTheSoundOnes() throws Exception {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        body.writeBytes((line("first") + "\r\n").getBytes(UTF_8));
        body.writeBytes("{\"upstream\":\n".getBytes(UTF_8));
        body.writeBytes(" \n\n".getBytes(UTF_8));
        body.writeBytes("{\"upstream\":\"nobody\",\"request\":{\"path\":\"/x\"}}\n".getBytes(UTF_8));
        body.writeBytes("{\"upstream\":\"caf\u00e9\"}\n".getBytes(ISO_8859_1));
        body.writeBytes(("{\"x\":\"" + "y".repeat(2 * RunningIngress.MAX_BODY_BYTES) + "\"}\n").getBytes(UTF_8));
        body.writeBytes((line("z".repeat(300_000)) + "\n{}\n").getBytes(UTF_8));
        body.writeBytes(line("last, without an end").getBytes(UTF_8));

        HttpResponse<String> answer = post(body.toByteArray(), null);

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
        List<JsonNode> lines = answers(answer.body());
        assertThat(lines).extracting(line -> line.path("line").asInt()).containsExactly(1, 2, 5, 6, 7, 8, 9, 10);
        assertThat(lines)
                .extracting(line -> line.at("/problem/status").asInt(202))
                .containsExactly(202, 400, 404, 400, 413, 202, 422, 202);
        assertThat(lines.get(6).at("/problem/errors/0/pointer").asText()).isEqualTo("/upstream");
        assertThat(bodies(ids(lines)))
                .containsExactlyInAnyOrder("\"first\"", "\"" + "z".repeat(300_000) + "\"", "\"last, without an end\"");
    }

    @Test
    void shouldAnswerALineBeforeTheNextOneComes() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", ingress.port())) {
            socket.setSoTimeout((int) RunningIngress.PATIENCE.toMillis());
            socket.setTcpNoDelay(true);
            OutputStream out = socket.getOutputStream();
            out.write(head(null).getBytes(UTF_8));
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
            List<JsonNode> answers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                chunk(out, line("step " + i) + "\n");
                String read = in.readLine();
                while (!read.startsWith("{")) {
                    read = in.readLine();
                }
                answers.add(Json.MAPPER.readTree(read));
            }

            assertThat(answers).extracting(line -> line.path("line").asInt()).containsExactly(1, 2, 3);
            assertThat(ids(answers)).hasSize(3);
        }
    }

    @Test
    void shouldBeTheSameJobs_whenABatchComesAgainWithItsKey() throws Exception {
        byte[] body = (line("a") + "\n" + line("a") + "\n" + line("b") + "\n").getBytes(UTF_8);
        byte[] changed = (line("a") + "\n" + line("c") + "\n" + line("b") + "\n").getBytes(UTF_8);

        List<JsonNode> first = answers(post(body, "the batch").body());
        List<JsonNode> again = answers(post(body, "the batch").body());
        List<JsonNode> other = answers(post(changed, "the batch").body());

        assertThat(ids(first)).hasSize(3);
        assertThat(again).isEqualTo(first);
        assertThat(other.get(0)).isEqualTo(first.get(0));
        assertThat(other.get(1).at("/problem/status").asInt()).isEqualTo(422);
        assertThat(bodies(ids(first))).containsExactlyInAnyOrder("\"a\"", "\"a\"", "\"b\"");
    }

    @Test
    void shouldBeSubmittedFromTheCommandLine_inPartsInOrder(@TempDir Path dir) throws Exception {
        Path file = dir.resolve("jobs.ndjson");
        int jobs = 1_000;
        StringBuilder lines = new StringBuilder();
        for (int i = 1; i <= jobs; i++) {
            lines.append(i == 700 ? "{}" : line("command " + i)).append(i % 2 == 0 ? "\n" : "\r\n");
        }
        Files.writeString(file, "\n" + lines);

        List<JsonNode> first = submitted(1, "--batch", file.toString(), "--idempotency-key", "command", "--json");
        List<JsonNode> again = submitted(1, "--batch", file.toString(), "--idempotency-key", "command", "--json");

        assertThat(first).hasSize(jobs).isEqualTo(again);
        assertThat(first)
                .extracting(line -> line.path("line").asInt())
                .isEqualTo(IntStream.rangeClosed(2, jobs + 1).boxed().toList());
        assertThat(first.get(699).at("/problem/status").asInt()).isEqualTo(422);
        assertThat(ids(first)).hasSize(jobs - 1);
        assertThat(bodies(ids(first)))
                .containsExactlyInAnyOrderElementsOf(IntStream.rangeClosed(1, jobs)
                        .filter(i -> i != 700)
                        .mapToObj(i -> "\"command " + i + "\"")
                        .toList());
    }

    @Test
    void shouldBeSubmittedFromTheCommandLine_whenManyAreAlike() throws Exception {
        List<JsonNode> answers = submitted(
                0, "--upstream", "plain", "--path", "/x", "--body", "{\n\"a\": \"b\"\n}", "--count", "500", "--json");

        assertThat(ids(answers)).hasSize(500);
        assertThat(bodies(ids(answers))).hasSize(500).containsOnly("{ \"a\": \"b\" }");
    }

    private List<JsonNode> submitted(int exitCode, String... options) throws IOException {
        List<String> command =
                new ArrayList<>(List.of("jobs", "submit", "--url", "http://127.0.0.1:" + ingress.port()));
        command.addAll(List.of(options));
        PrintStream former = System.out;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setOut(new PrintStream(said, true, UTF_8));
        try {
            assertThat(WeirCommand.execute(command.toArray(new String[0]))).isEqualTo(exitCode);
        } finally {
            System.setOut(former);
        }
        return answers(said.toString(UTF_8));
    }

    @Test
    void shouldAnswerWhatItTook_andSayWhatItDidNot_whenABatchBreaksOff() throws Exception {
        try (Socket socket = new Socket("127.0.0.1", ingress.port())) {
            OutputStream out = socket.getOutputStream();
            out.write(head(null).getBytes(UTF_8));
            chunk(out, line("taken") + "\n" + "{\"upstream\":");
            out.write("nonsense\r\n".getBytes(UTF_8));
            socket.shutdownOutput();
            List<JsonNode> answers = new ArrayList<>();
            for (String read : new String(socket.getInputStream().readAllBytes(), UTF_8).split("\r?\n")) {
                if (read.startsWith("{")) {
                    answers.add(Json.MAPPER.readTree(read));
                }
            }

            assertThat(answers).hasSize(2);
            assertThat(bodies(ids(answers))).containsExactly("\"taken\"");
            assertThat(answers.get(1).at("/problem/status").asInt()).isEqualTo(400);
            assertThat(answers.get(1).at("/problem/detail").asText()).contains("this line and those after it");
        }
    }

    @Test
    void shouldRefuseWhatIsNoBatch() throws Exception {
        HttpResponse<String> json = client.send(
                HttpRequest.newBuilder(ingress.uri("/v1/jobs/batch"))
                        .header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.ofString(line("x")))
                        .build(),
                HttpResponse.BodyHandlers.ofString());

        assertThat(json.statusCode()).isEqualTo(415);
        assertThat(post(new byte[0], null).statusCode()).isEqualTo(200);
        assertThat(post(line("x").getBytes(UTF_8), "k".repeat(256)).statusCode())
                .isEqualTo(400);
    }

    /** {@code -Dweir.lines=1000000} for a long one. */
    @Test
    void shouldTakeManyLines_whoseAnswersAreReadAsTheyCome() throws Exception {
        Set<UUID> missing = new HashSet<>();
        long startedNs = System.nanoTime();
        try (Socket socket = new Socket("127.0.0.1", ingress.port())) {
            socket.setSoTimeout((int) RunningIngress.PATIENCE.toMillis());
            socket.setTcpNoDelay(true);
            Thread sender = new Thread(() -> send(socket), "sender");
            sender.start();
            BufferedReader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), UTF_8));
            int next = 1;
            while (next <= LINES) {
                String read = in.readLine();
                assertThat(read).isNotNull();
                // The marks between chunks stand on lines of their own, or right before an answer that was cut in two.
                int begin = read.indexOf("{\"line\":");
                if (begin >= 0 && read.endsWith("}")) {
                    JsonNode answer = Json.MAPPER.readTree(read.substring(begin));
                    assertThat(answer.path("line").asInt()).isEqualTo(next++);
                    missing.add(UUID.fromString(answer.path("id").asText()));
                }
            }
            sender.join();
        }
        double seconds = (System.nanoTime() - startedNs) / 1e9;
        System.out.printf(
                "a batch of %d lines: %.1f s, %.0f a second; the largest heap is %d MB%n",
                LINES, seconds, LINES / seconds, Runtime.getRuntime().maxMemory() >> 20);

        assertThat(missing).as("a job of its own for each line").hasSize(LINES);
        ingress.forEach(
                Topics.REQUESTS,
                record -> missing.remove(UUID.fromString(
                        Json.read(record.value(), JobRequest.class).id())));
        assertThat(missing).as("jobs that are not in the topic").isEmpty();
    }

    private static void send(Socket socket) {
        try {
            OutputStream out = socket.getOutputStream();
            out.write(head(null).getBytes(UTF_8));
            for (int from = 0; from < LINES; from += 100) {
                StringBuilder some = new StringBuilder();
                for (int i = from; i < Math.min(from + 100, LINES); i++) {
                    some.append(line("n" + i)).append('\n');
                }
                chunk(out, some.toString());
            }
            out.write("0\r\n\r\n".getBytes(UTF_8));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static String head(@Nullable String key) {
        return "POST /v1/jobs/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
                + (key == null ? "" : "Idempotency-Key: " + key + "\r\n") + "Transfer-Encoding: chunked\r\n\r\n";
    }

    private static void chunk(OutputStream out, String text) throws IOException {
        byte[] bytes = text.getBytes(UTF_8);
        out.write((Integer.toHexString(bytes.length) + "\r\n").getBytes(UTF_8));
        out.write(bytes);
        out.write("\r\n".getBytes(UTF_8));
    }

    private HttpResponse<String> post(byte[] body, @Nullable String key) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(ingress.uri("/v1/jobs/batch"))
                .version(HttpClient.Version.HTTP_1_1)
                .header("Content-Type", "application/x-ndjson")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        if (key != null) {
            request.header("Idempotency-Key", key);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    private static List<JsonNode> answers(String body) throws IOException {
        List<JsonNode> answers = new ArrayList<>();
        for (String line : body.split("\n")) {
            answers.add(Json.MAPPER.readTree(line));
        }
        return answers;
    }

    private static Set<String> ids(List<JsonNode> answers) {
        Set<String> ids = new HashSet<>();
        answers.stream()
                .filter(line -> line.has("id"))
                .forEach(line -> ids.add(line.get("id").asText()));
        return ids;
    }

    /** Of the jobs with these ids, as often as they stand in the topic. */
    private List<String> bodies(Set<String> ids) {
        List<String> bodies = new ArrayList<>();
        ingress.forEach(Topics.REQUESTS, record -> {
            JobRequest request = Json.read(record.value(), JobRequest.class);
            if (ids.contains(request.id())) {
                bodies.add(String.valueOf(request.request().body()));
            }
        });
        return bodies;
    }

    private static String line(String body) {
        return "{\"upstream\":\"plain\",\"request\":{\"path\":\"/x\",\"body\":\"" + body + "\"}}";
    }
}
