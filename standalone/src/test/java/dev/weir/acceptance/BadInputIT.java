package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.fake.FakeUpstream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Bad input of every kind: a clear answer, and no harm to anything else. */
class BadInputIT {
    private static final Duration START = Duration.ofSeconds(60);

    @TempDir
    static Path dir;

    private static FakeUpstream upstream;
    private static WeirProcess weir;

    @BeforeAll
    static void start() throws Exception {
        upstream = PaceIT.upstream();
        weir = new WeirProcess(dir, PaceIT.thousandAMinute(upstream));
        weir.start();
    }

    @AfterAll
    static void stop() {
        weir.close();
        upstream.close();
    }

    @Test
    void shouldAnswerEachBadRequestClearly_andGoOnServing() throws Exception {
        expect(400, "{\"upstream\":");
        expect(404, "{\"upstream\":\"nobody\",\"request\":{\"path\":\"/x\"}}");
        assertThat(Json.MAPPER.readTree(expect(422, "{}").body()).path("errors"))
                .hasSize(2);
        expect(422, "{\"upstream\":7,\"request\":{\"path\":[]}}");
        expect(422, "{\"upstream\":\"counted\",\"request\":{\"path\":\"/../admin\"}}");
        expect(422, "{\"upstream\":\"counted\",\"request\":{\"path\":\"http://elsewhere/\"}}");
        expect(422, "{\"upstream\":\"counted\",\"request\":{\"path\":\"/%2e%2e/admin\"}}");
        expect(
                413,
                "{\"upstream\":\"counted\",\"request\":{\"path\":\"/x\",\"body\":\"" + "x".repeat(5_000_000) + "\"}}");

        String job = weir.submit("counted", 1).get(0);
        await().atMost(Duration.ofSeconds(20))
                .until(() -> weir.get("/v1/jobs/" + job).path("status").asText().equals("succeeded"));
    }

    @Test
    void shouldAnswer200_never404_rightAfterThe202() throws Exception {
        for (int i = 0; i < 200; i++) {
            String job = weir.submit("counted", 1).get(0);
            HttpResponse<String> answer = weir.send(HttpRequest.newBuilder(URI.create(weir.url() + "/v1/jobs/" + job)));
            assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        }
    }

    @Test
    void shouldRefuseASecondStart_aTakenPort_anUnknownKey_andACorruptDirectory() throws Exception {
        assertThat(failure(weir.command(WeirProcess.freePort())))
                .contains("data")
                .hasLineCount(1);

        Path elsewhere = Files.createDirectory(dir.resolve("elsewhere"));
        Path config = elsewhere.resolve("weir.yaml");
        Files.writeString(config, PaceIT.thousandAMinute(upstream));
        assertThat(failure(standalone(elsewhere.resolve("data"), config, weir.port())))
                .contains(Integer.toString(weir.port()))
                .hasLineCount(1);

        Path typo = elsewhere.resolve("typo.yaml");
        Files.writeString(typo, PaceIT.thousandAMinute(upstream).replace("timeout", "timeuot"));
        assertThat(failure(standalone(elsewhere.resolve("data"), typo, 0)))
                .contains("typo.yaml", "timeuot", "timeout")
                .hasLineCount(1);

        Path corrupt = Files.createDirectories(elsewhere.resolve("corrupt"));
        Files.createDirectories(corrupt.resolve("kafka"));
        Files.writeString(corrupt.resolve("kafka").resolve("meta.properties"), "nonsense");
        assertThat(failure(standalone(corrupt, config, 0))).contains("corrupt").hasLineCount(1);
        assertThat(corrupt.resolve("kafka").resolve("meta.properties")).hasContent("nonsense");
    }

    private static HttpResponse<String> expect(int status, String body) throws Exception {
        HttpResponse<String> answer = weir.post(body);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(Json.MAPPER.readTree(answer.body()).path("detail").asText()).isNotBlank();
        return answer;
    }

    private static ProcessBuilder standalone(Path data, Path config, int port) {
        ProcessBuilder command = weir.command(port);
        for (int i = 0; i < command.command().size() - 1; i++) {
            switch (command.command().get(i)) {
                case "--data-dir" -> command.command().set(i + 1, data.toString());
                case "--config" -> command.command().set(i + 1, config.toString());
                case "--kafka-port" -> command.command().set(i + 1, "0");
                default -> {}
            }
        }
        return command;
    }

    /** What it says on standard error when it does not start: exit status 1 or 2. */
    private static String failure(ProcessBuilder command) throws IOException, InterruptedException {
        Path errors = Files.createTempFile("weir", ".err");
        Process process = command.redirectError(errors.toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            assertThat(process.waitFor(START.toSeconds(), TimeUnit.SECONDS))
                    .as("it ends")
                    .isTrue();
            assertThat(process.exitValue()).isIn(1, 2);
            return Files.readString(errors).strip();
        } finally {
            process.destroyForcibly();
            Files.deleteIfExists(errors);
        }
    }
}
