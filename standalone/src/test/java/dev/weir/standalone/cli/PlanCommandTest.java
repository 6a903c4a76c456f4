package dev.weir.standalone.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCommandTest {
    @TempDir
    Path dir;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream errors = new ByteArrayOutputStream();
    private final PrintStream formerOut = System.out;
    private final PrintStream formerErr = System.err;

    @BeforeEach
    void capture() throws Exception {
        Files.writeString(dir.resolve("weir.yaml"), """
                upstreams:
                  gemini:
                    baseUrl: http://127.0.0.1:1
                    limits:
                      - { permits: 1000,   per: 1m }
                      - { permits: 50000,  per: 1h }
                      - { permits: 500000, per: 1d }
                """);
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void release() {
        System.setOut(formerOut);
        System.setErr(formerErr);
    }

    @Test
    void shouldTellPhaseByPhase_whenWindowsAreEmpty() {
        assertThat(plan("--jobs", "500000")).isZero();

        assertThat(printed())
                .contains("500,000 jobs for gemini take 25 h 05 min 32 s from empty windows")
                .contains("45,000 jobs at full pace")
                .contains("waits: the window PT24H is full");
    }

    @Test
    void shouldPlanByOtherSettings_whenAskedWhatIf() throws Exception {
        assertThat(plan("--jobs", "50000", "--limit", "500/1m", "--utilization", "0.8", "--burst", "0", "--json"))
                .isZero();

        JsonNode plan = Json.MAPPER.readTree(printed());
        // 400 a minute: the last of 50,000 goes 49,999 steps of 150 ms after the first.
        assertThat(plan.path("durationSeconds").asDouble()).isBetween(7499.0, 7500.0);
        assertThat(plan.path("whatIf").toString())
                .isEqualTo("{\"limits\":[{\"permits\":500,\"per\":\"PT1M\"}],\"utilization\":0.8,\"burst\":0}");
        assertThat(plan.path("phases")).hasSize(1);
    }

    @Test
    void shouldRefuseWithUsage_whenOptionsDoNotFit() {
        assertThat(plan()).isEqualTo(2);
        assertThat(plan("--jobs", "0")).isEqualTo(2);
        assertThat(plan("--jobs", "1", "--assume-unused")).isEqualTo(2);
        assertThat(plan("--jobs", "1", "--limit", "much")).isEqualTo(2);
        assertThat(plan("--jobs", "1", "--utilization", "1.5")).isEqualTo(2);
        assertThat(plan("--jobs", "1", "--limit", "1/1m", "--utilization", "0.5"))
                .isEqualTo(2);

        assertThat(printedErrors()).hasSize(6);
        assertThat(printedErrors().get(0)).contains("--jobs N, or --from URL");
        assertThat(printedErrors().get(4)).contains("utilization: expected more than 0, up to 1");
        assertThat(printedErrors().get(5)).contains("leaves no permit at all");
    }

    @Test
    void shouldRefuseWithUsage_whenUpstreamsAreGivenNothingToDo() {
        assertThat(WeirCommand.execute("upstreams")).isEqualTo(2);
        assertThat(WeirCommand.execute("upstreams", "set", "gemini")).isEqualTo(2);
        assertThat(WeirCommand.execute("upstreams", "pause")).isEqualTo(2);
        assertThat(WeirCommand.execute("jobs", "cancel")).isEqualTo(2);

        assertThat(printedErrors()).hasSize(4);
        assertThat(printedErrors().get(1)).contains("name at least one setting");
    }

    @Test
    void shouldSayWhereItLooked_whenNothingAnswers() {
        assertThat(WeirCommand.execute("jobs", "cancel", "x", "--url", "http://127.0.0.1:1"))
                .isEqualTo(1);
        assertThat(WeirCommand.execute("upstreams", "list", "--url", "http://127.0.0.1:1"))
                .isEqualTo(1);
        assertThat(WeirCommand.execute("plan", "--upstream", "gemini", "--from", "http://127.0.0.1:1"))
                .isEqualTo(1);
        assertThat(WeirCommand.execute("plan", "--upstream", "gemini", "--from", "127.0.0.1:1"))
                .isIn(1, 2);

        assertThat(printedErrors()).hasSize(4);
        assertThat(printedErrors().subList(0, 3))
                .allMatch(line -> line.contains("nothing answers at http://127.0.0.1:1"));
    }

    private int plan(String... more) {
        List<String> all = new ArrayList<>(List.of("plan", "--upstream", "gemini"));
        all.addAll(List.of("--config", dir.resolve("weir.yaml").toString()));
        all.addAll(List.of(more));
        return WeirCommand.execute(all.toArray(new String[0]));
    }

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private List<String> printedErrors() {
        return errors.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
