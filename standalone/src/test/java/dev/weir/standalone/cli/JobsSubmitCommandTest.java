package dev.weir.standalone.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class JobsSubmitCommandTest {
    private final List<String> received = Collections.synchronizedList(new ArrayList<>());
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
    private final PrintStream formerErr = System.err;
    private HttpServer server;
    private int status = 202;

    @BeforeEach
    void start() throws Exception {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/jobs", exchange -> {
            received.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            byte[] answer = "{\"id\":\"x\",\"title\":\"Not possible\"}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void stop() {
        System.setErr(formerErr);
        server.stop(0);
    }

    @Test
    void shouldSendTheBodyExactlyAsGiven_whenItIsJson() {
        int code = submit("--body", "{\"a\": 1.00, \"big\":12345678901234567890123.10,\"a\":1e2 }");

        assertThat(code).isZero();
        assertThat(received)
                .singleElement()
                .asString()
                .contains("\"body\":{\"a\": 1.00, \"big\":12345678901234567890123.10,\"a\":1e2 }}");
    }

    @Test
    void shouldRefuseWithUsage_whenTheBodyIsEmptyOrNotOneJsonValue() {
        assertThat(submit("--body", "")).isEqualTo(2);
        assertThat(submit("--body", " ")).isEqualTo(2);
        assertThat(submit("--body", "{} {}")).isEqualTo(2);
        assertThat(submit("--body", "{},\"cost\":7")).isEqualTo(2);

        assertThat(received).isEmpty();
    }

    @Test
    void shouldPrintOneLineOnStandardError_whenJobsAreRefused() {
        status = 422;

        assertThat(submit("--json")).isEqualTo(1);
        assertThat(submit("--count", "3")).isEqualTo(1);

        assertThat(errors.toString(StandardCharsets.UTF_8).lines())
                .hasSize(2)
                .first()
                .asString()
                .contains("422 Not possible");
        assertThat(errors.toString(StandardCharsets.UTF_8)).contains("3 of 3 jobs were not accepted");
    }

    @Test
    void shouldRefuseWithUsage_whenABatchAndAJobAreGiven_orNeither() {
        assertThat(submit("--batch", "-")).isEqualTo(2);
        assertThat(WeirCommand.execute("jobs", "submit", "--upstream", "u")).isEqualTo(2);

        assertThat(received).isEmpty();
    }

    @Test
    void shouldRefuseWithUsage_whenAPortIsOutOfRange() {
        assertThat(WeirCommand.execute("fake-upstream", "--port", "65536")).isEqualTo(2);
        assertThat(WeirCommand.execute("standalone", "--port", "-1")).isEqualTo(2);
        assertThat(WeirCommand.execute("throttler", "--port", "99999999999")).isEqualTo(2);

        assertThat(errors.toString(StandardCharsets.UTF_8).lines())
                .hasSize(3)
                .allMatch(line -> line.contains("0 to 65535"));
    }

    private int submit(String... more) {
        List<String> all = new ArrayList<>(List.of("jobs", "submit", "--upstream", "u", "--path", "/x"));
        all.addAll(List.of("--url", "http://127.0.0.1:" + server.getAddress().getPort()));
        all.addAll(List.of(more));
        return WeirCommand.execute(all.toArray(new String[0]));
    }
}
