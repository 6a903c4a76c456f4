package dev.weir.throttler.topology;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.JsonWriter;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Permit;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.upstream.Grant;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Submission;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RawSubmissionTest {
    private static final Instant AT = Instant.parse("2026-11-22T10:00:00.123456789Z");
    private static final String ID = "0198c1de-7b00-7abc-8def-0123456789ab";
    private static final String CALL = "{\"method\":\"POST\",\"path\":\"/x\",\"headers\":{}}";
    private static final String REST =
            "\"priority\":\"low\",\"cost\":2,\"acceptedAt\":\"2026-11-22T10:00:00Z\",\"bodyHash\":\"h\"";

    @ParameterizedTest
    @ValueSource(strings = {"", "plain", "a \"quoted\" \\ line\n\t\u0001", "größer 😀 नमस्ते", "/slashes/"})
    void shouldReadTheSameAsJackson_andTakeTheCallAsItCame(String body) {
        JobRequest request = new JobRequest(
                JobRequest.VERSION,
                ID,
                "ténant",
                "api",
                new Call("POST", "/v1?ü=" + body, Map.of("X", body, "Y", "z"), body, null),
                Priority.HIGH,
                AT.plusSeconds(5),
                AT.plusSeconds(50),
                3,
                AT,
                "hash",
                "00-trace-01");

        Submission read = RawSubmission.read(Json.bytes(request));

        assertThat(read).isInstanceOf(RawSubmission.class);
        assertThat(read.spec()).isEqualTo(Submission.of(request).spec());
        assertThat(read.notBefore()).isEqualTo(request.notBefore());
        assertThat(read.request()).isEqualTo(request);
        Job job = new Job(
                Job.VERSION,
                read.spec(),
                JobStatus.DISPATCHED,
                2,
                new Job.Tally(1, 0, 0, 0),
                new Job.Place(null, null, 7L, AT, AT.plusSeconds(60)),
                null);
        Grant grant = new Grant(job, 7, AT, AT.plusSeconds(3), Duration.ofSeconds(30));
        JobForm.Asked asked =
                JobForm.stored(JobForm.bytes(read, job, new FormWriter())).asked();
        assertThat(asked).isNotNull();
        byte[] permit = new JsonWriter().bytes(json -> PermitJson.write(grant, asked, json));
        assertThat(new String(permit, UTF_8)).isEqualTo(new String(Json.bytes(grant.of(request)), UTF_8));
        assertThat(Json.read(permit, Permit.class)).isEqualTo(grant.of(request));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // Other forms of the same kind of record, all of which Json.read takes.
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":" + CALL + "," + REST
                        + ",\"new\":{\"a\":[1]}}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"notBefore\":null,\"request\":" + CALL + ","
                        + REST + "}",
                "{\"v\":\"1\",\"id\":7,\"tenant\":\"t\",\"upstream\":\"u\",\"request\":" + CALL + "," + REST + "}",
                " {\n\"request\" : {\"headers\":{\"a\":1}, \"path\":\"/\", \"method\":\"GET\", \"body\":null, \"new\":[]} ,"
                        + "\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\"," + REST + "}",
                "{\"request\":" + CALL + ",\"request\":{\"method\":\"GET\",\"path\":\"/y\",\"headers\":{}},"
                        + "\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\"," + REST + "}",
            })
    void shouldReadWhatJacksonReads_whateverItsForm(String json) {
        Submission read = RawSubmission.read(json.getBytes(UTF_8));

        JobRequest request = Json.read(json.getBytes(UTF_8), JobRequest.class);
        assertThat(read.spec()).isEqualTo(Submission.of(request).spec());
        assertThat(read.notBefore()).isEqualTo(request.notBefore());
        assertThat(read.request()).isEqualTo(request);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{\"v\":1",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":{\"path\":\"/\",\"headers\":{}},"
                        + REST + "}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":{\"method\":\"GET\",\"path\":\"/\"},"
                        + REST + "}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":{\"method\":\"GET\",\"path\":\"/\",\"headers\":{\"a\":null}},"
                        + REST + "}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":{\"method\":\"GET\",\"path\":\"/\",\"headers\":{},\"body\":\"a\",\"bodyBase64\":\"b\"},"
                        + REST + "}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":{\"method\":\"GET\",\"path\":\"/\",\"headers\":[]},"
                        + REST + "}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\"," + REST + "}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":" + CALL
                        + ",\"priority\":\"odd\",\"cost\":2,\"acceptedAt\":\"2026-11-22T10:00:00Z\",\"bodyHash\":\"h\"}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":" + CALL
                        + ",\"priority\":\"low\",\"cost\":0,\"acceptedAt\":\"2026-11-22T10:00:00Z\",\"bodyHash\":\"h\"}",
                "{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":" + CALL
                        + ",\"priority\":\"low\",\"cost\":1,\"acceptedAt\":\"yesterday\",\"bodyHash\":\"h\"}",
            })
    void shouldRefuseWhatNobodyCouldCall(String json) {
        assertThatThrownBy(() -> RawSubmission.read(json.getBytes(UTF_8))).isInstanceOf(SerializationException.class);
    }

    @Test
    void shouldRefuseABodyThatIsNoUtf8() {
        byte[] json =
                ("{\"v\":1,\"id\":\"i\",\"tenant\":\"t\",\"upstream\":\"u\",\"request\":{\"method\":\"GET\",\"path\":\"/\","
                                + "\"headers\":{},\"body\":\"?\"}," + REST + "}")
                        .getBytes(UTF_8);
        for (int i = 0; i < json.length; i++) {
            if (json[i] == '?') {
                json[i] = (byte) 0xff;
            }
        }

        assertThatThrownBy(() -> RawSubmission.read(json)).isInstanceOf(SerializationException.class);
    }
}
