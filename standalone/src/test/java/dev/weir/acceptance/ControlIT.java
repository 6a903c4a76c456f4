package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Permit;
import dev.weir.standalone.TestPorts;
import dev.weir.standalone.fake.FakeUpstream;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people change while Weir runs: settings, pause, cancel; and what a restart makes of it. */
@Tag("long")
class ControlIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    /** Permits are given so far ahead, and stand when a limit is lowered. */
    private static final Duration GIVEN_AHEAD = Duration.ofSeconds(1);

    /** More than are called before the next stop, however slow it is. */
    private static final int KEPT = 300;

    private static final String PACED = """
              paced:
                baseUrl: http://127.0.0.1:%d
                utilization: 1.0
                timeout: 5s
                limits: [{ permits: 10, per: 1s }]
            """;
    private static final String SLOW = """
              slow:
                baseUrl: http://127.0.0.1:%d
                limits: [{ permits: %d, per: 1s }]
            """;
    private static final String DOWN = """
              down:
                baseUrl: http://127.0.0.1:%d
                limits: [{ permits: 100, per: 1s }]
            """;
    private static final String HELD = """
              held:
                baseUrl: http://127.0.0.1:%d
                timeout: 1s
                limits: [{ permits: 10, per: 1s }]
            """;

    private static final String COMMANDS = """
              commands:
                baseUrl: http://127.0.0.1:%d
                limits: [{ permits: 1000, per: 1m }]
            """;

    @TempDir
    static Path dir;

    private static FakeUpstream paced;
    private static FakeUpstream slow;
    private static FakeUpstream others;
    private static WeirProcess weir;

    @BeforeAll
    static void start() throws Exception {
        paced = PaceIT.upstream();
        others = PaceIT.upstream();
        slow = new FakeUpstream("127.0.0.1", 0, List.of(), Duration.ofSeconds(4));
        weir = new WeirProcess(dir, config(100, true));
        weir.start();
    }

    @AfterAll
    static void stop() {
        weir.close();
        paced.close();
        slow.close();
        others.close();
    }

    private static String config(int slowLimit, boolean withHeld) {
        return "upstreams:\n"
                + PACED.formatted(paced.port())
                + SLOW.formatted(slow.port(), slowLimit)
                + DOWN.formatted(TestPorts.next())
                + COMMANDS.formatted(others.port())
                + (withHeld ? HELD.formatted(others.port()) : "");
    }

    @Test
    void shouldFollowEachLimitAtOnce_andStandStillWhilePaused() throws Exception {
        weir.submit("paced", 600);
        await().atMost(PATIENCE).until(() -> paced.log().calls() >= 15);

        JsonNode raised = ok(weir.send("PATCH", "/v1/upstreams/paced", limit(40)));
        Instant raisedAt = Instant.now();
        await().atMost(PATIENCE).until(() -> paced.log().calls() >= 150);
        JsonNode lowered = ok(weir.send("PATCH", "/v1/upstreams/paced", limit(5)));
        Instant loweredAt = Instant.now();
        await().pollDelay(Duration.ofSeconds(5)).atMost(PATIENCE).until(() -> true);
        Instant end = Instant.now();

        assertThat(lowered.path("revision").asLong())
                .isEqualTo(raised.path("revision").asLong() + 1);
        assertThat(lowered.at("/settings/limits/0/permits").asLong()).isEqualTo(5);
        List<Instant> slots = weir.permits("paced"::equals).values().stream()
                .map(Permit::slot)
                .sorted()
                .toList();
        Instant fullRate = raisedAt.plus(GIVEN_AHEAD);
        assertThat(within(slots, fullRate, fullRate.plusSeconds(1))).isBetween(20L, 40L);
        // A window that reaches back before the change is held to the higher limit.
        Instant onlyTheNewLimit = loweredAt.plus(GIVEN_AHEAD).plusSeconds(1);
        List<Instant> after =
                slots.stream().filter(slot -> slot.isAfter(onlyTheNewLimit)).toList();
        assertThat(after)
                .allSatisfy(slot ->
                        assertThat(within(after, slot, slot.plusSeconds(1))).isLessThanOrEqualTo(5));
        assertThat(within(after, onlyTheNewLimit, end))
                .isGreaterThanOrEqualTo(
                        3 * Duration.between(onlyTheNewLimit, end).toSeconds());
        assertThat(paced.log().most(Duration.ofSeconds(1))).isLessThanOrEqualTo(45);

        JsonNode unchanged = ok(weir.send("PATCH", "/v1/upstreams/paced", limit(5)));
        assertThat(unchanged).isEqualTo(lowered);
        JsonNode paused = ok(weir.send("POST", "/v1/upstreams/paced/pause", null));
        assertThat(paused.path("paused").asBoolean()).isTrue();
        JsonNode upstream = weir.get("/v1/upstreams/paced");
        assertThat(upstream.path("state").asText()).isEqualTo("paused");
        assertThat(upstream.path("heldBy").asText()).isEqualTo("paused");
        assertThat(upstream.path("revision").asLong())
                .isEqualTo(lowered.path("revision").asLong() + 1);
        assertThat(upstream.at("/settings/limits/0/permits").asLong()).isEqualTo(5);
        assertThat(upstream.at("/queue/drainedAt").isNull()).isTrue();
        String last = submit("{\"upstream\":\"paced\",\"request\":{\"path\":\"/x\"}}");
        await().atMost(PATIENCE).until(() -> status(last).equals("queued"));
        assertThat(weir.get("/v1/jobs/" + last).path("eta").isNull()).isTrue();
        await().pollDelay(GIVEN_AHEAD).atMost(PATIENCE).until(() -> true);
        long before = paced.log().calls();
        await().during(Duration.ofSeconds(2))
                .atMost(PATIENCE)
                .until(() -> paced.log().calls() == before);

        ok(weir.send("POST", "/v1/upstreams/paced/resume", null));
        await().atMost(PATIENCE).until(() -> paced.log().calls() > before + 5);
    }

    @Test
    void shouldCancelWhereverAJobWaits_andSayWhenItIsTooLate() throws Exception {
        ok(weir.send("POST", "/v1/upstreams/held/pause", null));
        String job = "{\"upstream\":\"%s\",\"request\":{\"path\":\"/x\"}}";
        String scheduled = submit("{\"upstream\":\"held\",\"request\":{\"path\":\"/x\"},\"notBefore\":\""
                + Instant.now().plusSeconds(3600) + "\"}");
        String queued = submit(job.formatted("held"));
        String retrying = submit(job.formatted("down"));
        String dispatched = submit(job.formatted("slow"));
        await().atMost(PATIENCE)
                .until(() -> status(retrying).equals("retrying")
                        && status(queued).equals("queued")
                        && status(scheduled).equals("scheduled")
                        && slow.log().calls() > 0);

        HttpResponse<String> tooLate = weir.send("DELETE", "/v1/jobs/" + dispatched, null);

        assertThat(tooLate.statusCode()).as(tooLate.body()).isEqualTo(409);
        assertThat(Json.MAPPER.readTree(tooLate.body()).path("jobStatus").asText())
                .isEqualTo("dispatched");
        String atOnce = submit(job.formatted("held"));
        for (String id : List.of(atOnce, scheduled, queued, retrying, queued)) {
            JsonNode cancelled = ok(weir.send("DELETE", "/v1/jobs/" + id, null));
            assertThat(cancelled.path("id").asText()).isEqualTo(id);
            assertThat(cancelled.path("status").asText()).isEqualTo("cancelled");
            assertThat(weir.get("/v1/jobs/" + id).path("finishedAt").isNull()).isFalse();
        }
        await().atMost(PATIENCE)
                .until(() ->
                        weir.get("/v1/upstreams/down").at("/queue/retrying").asLong(-1) == 0);
        await().atMost(PATIENCE).until(() -> status(dispatched).equals("succeeded"));
        HttpResponse<String> finished = weir.send("DELETE", "/v1/jobs/" + dispatched, null);
        assertThat(finished.statusCode()).isEqualTo(409);
        assertThat(Json.MAPPER.readTree(finished.body()).path("jobStatus").asText())
                .isEqualTo("succeeded");
        assertThat(weir.send("DELETE", "/v1/jobs/" + UUID.randomUUID(), null).statusCode())
                .isEqualTo(404);
        assertThat(weir.send("DELETE", "/v1/jobs/%00", null).statusCode()).isEqualTo(400);
        ok(weir.send("POST", "/v1/upstreams/held/resume", null));
    }

    @Test
    void shouldKeepLiveChanges_unlessTheFilesEntryChanges_andKeepTheJobsOfAnUpstreamThatIsTakenOut() throws Exception {
        JsonNode live = ok(weir.send("PATCH", "/v1/upstreams/down", "{\"burst\":3,\"retry\":{\"delays\":[\"1h\"]}}"));
        ok(weir.send("PATCH", "/v1/upstreams/slow", limit(70)));
        long before = others.log().calls();
        List<String> kept = weir.submit("held", KEPT);
        await().atMost(PATIENCE).until(() -> others.log().calls() > before);

        weir.stop();
        weir.configure(config(50, false));
        weir.start();

        assertThat(weir.log())
                .contains("down keeps what was changed live")
                .contains("burst 15 -> 3")
                .contains("the entry of slow in the configuration file has changed and wins")
                .contains("the upstream held is not in the configuration file any more");
        JsonNode down = weir.get("/v1/upstreams/down");
        assertThat(down.path("revision").asLong())
                .isEqualTo(live.path("revision").asLong());
        assertThat(down.path("settings")).isEqualTo(live.path("settings"));
        assertThat(weir.get("/v1/upstreams/slow")
                        .at("/settings/limits/0/permits")
                        .asLong())
                .isEqualTo(50);
        await().atMost(PATIENCE)
                .until(() -> weir.get("/v1/upstreams/held").path("removed").asBoolean());
        JsonNode removed = weir.get("/v1/upstreams/held");
        assertThat(removed.path("state").asText()).isEqualTo("paused");
        assertThat(removed.at("/queue/waiting").asLong()).isPositive();
        assertThat(weir.send("PATCH", "/v1/upstreams/held", "{}").statusCode()).isEqualTo(404);
        assertThat(weir.post("{\"upstream\":\"held\",\"request\":{\"path\":\"/x\"}}")
                        .statusCode())
                .isEqualTo(404);
        String last = kept.get(KEPT - 1);
        await().atMost(PATIENCE).until(() -> status(last).equals("queued"));
        ok(weir.send("DELETE", "/v1/jobs/" + last, null));

        weir.stop();
        weir.configure(config(100, true));
        weir.start();

        ok(weir.send("PATCH", "/v1/upstreams/held", limit(200)));
        await().atMost(PATIENCE.multipliedBy(4)).until(() -> {
            JsonNode queue = weir.get("/v1/upstreams/held").path("queue");
            return queue.path("waiting").asLong(1) + queue.path("inFlight").asLong(1) == 0;
        });
        for (String job : kept.subList(0, KEPT - 1)) {
            await().pollDelay(Duration.ZERO).atMost(PATIENCE).untilAsserted(() -> {
                JsonNode now = weir.get("/v1/jobs/" + job);
                assertThat(now.path("status").asText()).as(now::toString).isEqualTo("succeeded");
            });
        }
        assertThat(weir.get("/v1/upstreams/held").path("removed").asBoolean(true))
                .isFalse();
        assertThat(weir.get("/v1/upstreams/down").at("/settings/burst").asInt()).isEqualTo(3);
    }

    @Test
    void shouldDoTheSameFromTheCommandLine() throws Exception {
        assertThat(command("upstreams", "pause", "commands").status()).isZero();
        List<String> jobs = weir.submit("commands", 45);
        assertThat(json("upstreams", "set", "commands", "--limit", "100/1m", "--burst", "0")
                        .at("/settings/burst")
                        .asInt(-1))
                .isZero();
        assertThat(json("upstreams", "show", "commands").path("state").asText()).isEqualTo("paused");
        Command cancelled = command("jobs", "cancel", jobs.get(44));
        assertThat(cancelled.status()).isZero();
        assertThat(cancelled.out()).isEqualTo("job " + jobs.get(44) + " is cancelled\n");
        Command again = command("jobs", "cancel", "0198c1de-7b00-7abc-8def-0123456789ab");
        assertThat(again.status()).isEqualTo(1);
        assertThat(again.errors().lines()).hasSize(1);

        // 90 a minute and no burst: one each two thirds of a second.
        await().atMost(PATIENCE)
                .until(() ->
                        weir.get("/v1/upstreams/commands").at("/queue/waiting").asLong() == 44);
        JsonNode plan = Json.MAPPER.readTree(
                command("plan", "--from", weir.url(), "--upstream", "commands", "--jobs", "2", "--json")
                        .out());
        JsonNode faster = Json.MAPPER.readTree(command(
                        "plan",
                        "--from",
                        weir.url(),
                        "--upstream",
                        "commands",
                        "--jobs",
                        "2",
                        "--limit",
                        "1000/1m",
                        "--json")
                .out());
        assertThat(planned(plan)).isBetween(Duration.ofSeconds(29), Duration.ofSeconds(33));
        assertThat(planned(faster)).isBetween(Duration.ofMillis(2900), Duration.ofSeconds(6));

        assertThat(command("upstreams", "resume", "commands").status()).isZero();
        await().atMost(PATIENCE).until(() -> anySucceeded(jobs));
        assertThat(command("upstreams", "list").out()).contains("commands").contains("/90 1m");
    }

    private static Duration planned(JsonNode plan) {
        return Duration.parse(plan.path("duration").asText());
    }

    private record Command(int status, String out, String errors) {}

    private static JsonNode json(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--json");
        Command command = command(all.toArray(String[]::new));
        assertThat(command.status()).as(command.errors()).isZero();
        return Json.MAPPER.readTree(command.out());
    }

    /** {@code weir} with these arguments, in a process of its own. */
    private static Command command(String... arguments) throws Exception {
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.weir.standalone.Main"));
        line.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().put("WEIR_URL", weir.url());
        Path errors = dir.resolve("errors.txt");
        Process process = builder.redirectError(errors.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Command(process.waitFor(), out, Files.readString(errors));
    }

    private static String limit(int perSecond) {
        return "{\"limits\":[{\"permits\":" + perSecond + ",\"per\":\"1s\"}]}";
    }

    private static long within(List<Instant> slots, Instant from, Instant to) {
        return slots.stream()
                .filter(slot -> !slot.isBefore(from) && slot.isBefore(to))
                .count();
    }

    private static String submit(String job) throws Exception {
        HttpResponse<String> answer = weir.post(job);
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(202);
        return Json.MAPPER.readTree(answer.body()).path("id").asText();
    }

    /** They were posted at the same time, so that any of them may be the first. */
    private static boolean anySucceeded(List<String> jobs) throws Exception {
        for (String job : jobs) {
            if (status(job).equals("succeeded")) {
                return true;
            }
        }
        return false;
    }

    private static String status(String job) throws Exception {
        return weir.get("/v1/jobs/" + job).path("status").asText();
    }

    private static JsonNode ok(HttpResponse<String> answer) throws Exception {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return Json.MAPPER.readTree(answer.body());
    }
}
