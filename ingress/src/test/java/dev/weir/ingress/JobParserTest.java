package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.CallRules;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Priority;
import dev.weir.contracts.wire.UpstreamRecord;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JobParserTest {
    private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
    private static final UpstreamSettings FILE = UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)));
    private static final UpstreamConfig GEMINI = new UpstreamConfig("gemini", URI.create("http://x"), FILE, null);
    private final Upstreams upstreams = new Upstreams(
            new WeirConfig(Map.of("gemini", GEMINI), WeirConfig.DEFAULT_MAX_BODY_BYTES),
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT));
    private final JobParser parser = new JobParser(upstreams);

    @Test
    void shouldFillInTheDefaults_whenOnlyTheRequiredFieldsAreThere() {
        assertThat(draft("{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x?y=1\"}}"))
                .isEqualTo(new Draft(
                        "gemini",
                        new Call("POST", "/x?y=1", Map.of(), null, null),
                        Priority.NORMAL,
                        null,
                        null,
                        false,
                        1));
    }

    @Test
    void shouldJudgeTheCostByTheSettingsInForce_whenTheBudgetWasLoweredLive() {
        UpstreamSettings lowered = UpstreamSettings.of(new Limit(300, Duration.ofMinutes(1)));
        upstreams.wrote("gemini", new UpstreamRecord(1, "gemini", 2, NOW, lowered, false, false, FILE), 1);
        String job = "{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\"},\"cost\":271}";

        Parsed parsed = parser.parse(job.getBytes(StandardCharsets.UTF_8), NOW);

        assertThat(((Parsed.Refused) parsed).problem().errors())
                .singleElement()
                .satisfies(error -> assertThat(error.detail()).startsWith("expected at most 270"));
    }

    @Test
    void shouldTakeEveryField() {
        Draft draft = draft("""
                { "upstream": "gemini", "cost": 900, "onLate": "accept", "priority": "high",
                  "notBefore": "2026-11-22T12:00:00.5+01:00", "deadline": "2026-11-23T10:00:00Z",
                  "request": { "method": "PUT", "path": "/x", "headers": {"Content-Type": "text/plain", "A": "b"},
                               "body": "caf\\u00e9" } }
                """);

        assertThat(draft)
                .isEqualTo(new Draft(
                        "gemini",
                        new Call("PUT", "/x", Map.of("Content-Type", "text/plain", "A", "b"), "café", null),
                        Priority.HIGH,
                        Instant.parse("2026-11-22T11:00:00.5Z"),
                        Instant.parse("2026-11-23T10:00:00Z"),
                        true,
                        900));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"z\":1.10, \"a\": 1E400,\"n\":12345678901234567890.000}",
                "[ 1 ,2, {\"path\":\"no\",\"headers\":{\"x\":1}} ]",
                "0.10",
                "-0",
                "1e5",
                "true",
                "\"text \\u00e9 é 😀 \\\"\"",
                "{}",
                "[]"
            })
    void shouldKeepTheJsonBodyToTheLetter(String body) {
        for (String around : List.of("%s", " %s ", "%s,\"method\":\"POST\"")) {
            Draft draft = draft("{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\",\"body\":"
                    + String.format(around, body) + "}}");

            assertThat(draft.call().body()).isEqualTo(body);
            assertThat(draft.call().headers()).containsEntry("Content-Type", "application/json");
        }
    }

    @Test
    void shouldKeepTheClientsContentType_whenItIsSomeJson() {
        Draft draft = draft(
                "{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\",\"headers\":{\"content-type\":\"application/ld+json\"},\"body\":\"s\"}}");

        assertThat(draft.call())
                .isEqualTo(new Call("POST", "/x", Map.of("content-type", "application/ld+json"), "\"s\"", null));
    }

    @Test
    void shouldSendTheBytes_whenTheBodyIsBase64() {
        Draft draft = draft("{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\",\"bodyBase64\":\"AP8\"}}");

        assertThat(draft.call().bodyBytes()).containsExactly(0, 0xff);
        assertThat(draft.call().headers()).containsEntry("Content-Type", "application/octet-stream");
    }

    @Test
    void shouldTakeNullAsNotGiven() {
        assertThat(draft("{\"upstream\":\"gemini\",\"cost\":null,\"priority\":null,\"deadline\":null,"
                        + "\"request\":{\"path\":\"/x\",\"body\":null,\"headers\":null,\"method\":null}}"))
                .isEqualTo(draft("{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\"}}"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"notBefore", "deadline"})
    void shouldRefuseATime_whenItIsBefore1970OrAfter2200(String field) {
        for (String time :
                List.of("0000-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "2200-01-01T00:00:00.000000001Z")) {
            assertThat(errors("{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\"},\"" + field + "\":\"" + time
                            + "\"}"))
                    .contains(new Problem.FieldError(
                            "/" + field, "expected a time from 1970-01-01T00:00:00Z to 2200-01-01T00:00:00Z"));
        }
        assertThat(draft(
                                "{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\"},\"notBefore\":\"1970-01-01T00:00:00Z\"}")
                        .notBefore())
                .isEqualTo(Instant.EPOCH);
    }

    @Test
    void shouldTakeOnlyWhatTheDispatcherTakes_whenTheHeadersAreAtTheirLimit() {
        int most = CallRules.MAX_HEADERS;
        int mostChars = CallRules.MAX_HEADER_CHARS - "X-0".length();
        int leftByWeir = mostChars - "Content-Typeapplication/json".length();

        for (String body : List.of("", ",\"body\":{}", ",\"bodyBase64\":\"AP8\"")) {
            boolean added = !body.isEmpty();
            assertThat(accepted(headers(added ? most - 1 : most, 1), body)).isTrue();
            assertThat(accepted(headers(added ? most : most + 1, 1), body)).isFalse();
            assertThat(accepted(headers(1, mostChars), body)).isEqualTo(!added);
        }
        assertThat(accepted(headers(1, leftByWeir), ",\"body\":{}")).isTrue();
        assertThat(accepted(headers(1, leftByWeir + 1), ",\"body\":{}")).isFalse();
        assertThat(errors(submission(headers(most, 1), ",\"body\":{}")))
                .containsExactly(
                        new Problem.FieldError(
                                "/request/headers",
                                "expected at most 64 headers, but there are 65; the Content-Type that Weir adds is one of them"));
    }

    private static String headers(int count, int valueChars) {
        return IntStream.range(0, count)
                .mapToObj(i -> "\"X-" + i + "\":\"" + "v".repeat(valueChars) + "\"")
                .collect(Collectors.joining(",", "{", "}"));
    }

    private static String submission(String headers, String body) {
        return "{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\",\"headers\":" + headers + body + "}}";
    }

    /** Whether the ingress takes it; what it takes passes the dispatcher's check too. */
    private boolean accepted(String headers, String body) {
        Parsed parsed = parser.parse(submission(headers, body).getBytes(StandardCharsets.UTF_8), NOW);
        if (parsed instanceof Parsed.Sound sound) {
            assertThat(CallRules.check(sound.draft().call(), null)).isEmpty();
            return true;
        }
        return false;
    }

    private List<Problem.FieldError> errors(String json) {
        Parsed parsed = parser.parse(json.getBytes(StandardCharsets.UTF_8), NOW);
        assertThat(parsed).isInstanceOf(Parsed.Refused.class);
        return ((Parsed.Refused) parsed).problem().errors();
    }

    @Test
    void shouldHashTheSame_onlyWhenTheSameIsAsked() {
        String base =
                "{\"upstream\":\"gemini\",\"request\":{\"path\":\"/x\",\"headers\":{\"A\":\"1\"},\"body\":{\"a\":1}}}";

        assertThat(draft(base).hash()).hasSize(64);
        assertThat(draft(base.replace("\"A\"", "\"a\"").replace("{\"upstream", "{ \"cost\":1,\"upstream"))
                        .hash())
                .isEqualTo(draft(base).hash());
        assertThat(List.of(
                        draft(base.replace("/x", "/y")).hash(),
                        draft(base.replace("\"1\"", "\"2\"")).hash(),
                        draft(base.replace(":1}", ":2}")).hash(),
                        draft(base.replace("{\"upstream", "{ \"cost\":2,\"upstream"))
                                .hash(),
                        draft(base.replace("{\"upstream", "{ \"priority\":\"low\",\"upstream"))
                                .hash(),
                        draft(base).hash()))
                .doesNotHaveDuplicates();
    }

    @Test
    void shouldGiveIdsThatAreFunctionsOfTenantAndKey_orSortByTime() {
        UUID keyed = JobIds.ofKey("local", "k");
        Random random = new Random(1);

        assertThat(keyed).isEqualTo(JobIds.ofKey("local", "k"));
        assertThat(keyed.version()).isEqualTo(8);
        assertThat(keyed.variant()).isEqualTo(2);
        assertThat(List.of(keyed, JobIds.ofKey("local", "K"), JobIds.ofKey("loca", "lk")))
                .doesNotHaveDuplicates();
        UUID earlier = JobIds.fresh(NOW, random);
        UUID later = JobIds.fresh(NOW.plusMillis(1), random);
        assertThat(earlier.version()).isEqualTo(7);
        assertThat(earlier.variant()).isEqualTo(2);
        assertThat(earlier.toString()).isLessThan(later.toString());
    }

    @Test
    void shouldGiveIdsOfTheSameInstantThatFallIntoOnePartition_andLaterOnesIntoTheOthers() {
        Random random = new Random(1);
        Set<UUID> ids = new HashSet<>();
        Map<Integer, Integer> partitions = new HashMap<>();
        for (int i = 0; i < 1000; i++) {
            UUID id = JobIds.fresh(NOW, random);
            ids.add(id);
            partitions.merge(Topics.partitionOf(id.toString(), Topics.JOB_PARTITIONS), 1, Integer::sum);
        }
        assertThat(ids).hasSize(1000);
        assertThat(Collections.max(partitions.values())).isGreaterThan(990);

        Set<Integer> all = IntStream.range(0, 50)
                .mapToObj(i -> JobIds.fresh(NOW.plusMillis(20L * i), random).toString())
                .map(id -> Topics.partitionOf(id, Topics.JOB_PARTITIONS))
                .collect(Collectors.toSet());
        assertThat(all).hasSize(Topics.JOB_PARTITIONS);
    }

    private Draft draft(String json) {
        Parsed parsed = parser.parse(json.getBytes(StandardCharsets.UTF_8), NOW);
        assertThat(parsed).isInstanceOf(Parsed.Sound.class);
        return ((Parsed.Sound) parsed).draft();
    }
}
