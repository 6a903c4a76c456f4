package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.QuotaWindow;
import dev.weir.throttler.upstream.CircuitBreaker;
import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Hold;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Silence;
import dev.weir.throttler.upstream.Submission;
import dev.weir.throttler.upstream.Timer;
import dev.weir.throttler.upstream.UpstreamState;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StoredFormsTest {
    private static final Instant AT = Instant.parse("2026-11-22T10:00:00.123456789Z");
    private static final String ID = "0198c1de-7b00-7abc-8def-0123456789ab";

    @ParameterizedTest
    @ValueSource(
            strings = {
                ID,
                "0198C1DE-7B00-7ABC-8DEF-0123456789AB",
                "0198c1de-7b00-7abc-8def-0123456789aB",
                "0198c1de+7b00-7abc-8def-0123456789ab",
                "0198c1de-7b00-7abc-8def-01234567-9ab",
                "1-1-1-1-1",
                "no uuid, but thirty-six characters!!",
                "größer"
            })
    void shouldReadWhatWasWritten_whateverTheId(String id) {
        Job queued = job(id, JobStatus.QUEUED, new Job.Place("tenant", -3L, null, null, null), null, null);
        Job out = job(id, JobStatus.DISPATCHED, new Job.Place(null, null, 17L, AT, AT.plusSeconds(30)), AT, "cancel-1");
        JobRequest request = request(id, Map.of("Content-Type", "text/plain", "X", "ü"), "a body", null);

        assertThat(JobForm.job(JobForm.bytes(queued))).isEqualTo(queued);
        assertThat(JobForm.job(JobForm.bytes(out))).isEqualTo(out);
        Job first = first(request);
        JobForm.Stored stored = JobForm.stored(JobForm.bytes(Submission.of(request), first, new FormWriter()));
        assertThat(stored.request()).isEqualTo(request);
        assertThat(stored.job()).isEqualTo(first);
        JobForm.Stored ended = JobForm.stored(JobForm.end(out));
        assertThat(ended.job()).isEqualTo(out);
        assertThat(ended.request()).isNull();
    }

    @Test
    void shouldReadTheJobThatStandsWithItsRequest() {
        JobRequest request = request(ID, Map.of(), null, "AAEC");
        Job job = first(request);

        FormWriter writer = new FormWriter();

        byte[] bytes = JobForm.bytes(Submission.of(request), job, writer);
        byte[] raw = JobForm.bytes(RawSubmission.read(Json.bytes(request)), job, writer);

        assertThat(JobForm.stored(bytes).job()).isEqualTo(job);
        assertThat(JobForm.stored(bytes).request()).isEqualTo(request);
        assertThat(raw).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"-1000000000-01-01T00:00:00Z", "1969-12-31T23:59:59.999999999Z", "9999-01-01T00:00:00.5Z"})
    void shouldKeepInstantsToTheNanosecond_whateverTheDate(String text) {
        Instant instant = Instant.parse(text);

        Instant read = new FormReader(new FormWriter((byte) 1).instant(instant).bytes(), (byte) 1, "a test").instant();

        assertThat(read).isEqualTo(instant);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, -1, 63, 64, -64, -65, 1L << 40, Long.MAX_VALUE, Long.MIN_VALUE})
    void shouldKeepNumbers_whateverTheirSize(long number) {
        FormReader in = new FormReader(
                new FormWriter((byte) 1).signed(number).number(number).bytes(), (byte) 1, "a test");

        assertThat(in.signed()).isEqualTo(number);
        assertThat(in.number()).isEqualTo(number);
    }

    @Test
    void shouldReadHeads_asTheyWereWritten() {
        LaneState lane = new LaneState(
                LaneState.VERSION, new LaneKey("gemini", "tenant", Priority.LOW), -2, 9, 7, 21, 100, 130, 3.75);
        UpstreamState upstream = new UpstreamState(
                UpstreamState.VERSION,
                new Settings(
                        "gemini",
                        List.of(new QuotaWindow(Duration.ofMinutes(1), 1000, 900)),
                        15,
                        300,
                        Duration.ofSeconds(3),
                        Duration.ofSeconds(30),
                        List.of(Duration.ofMinutes(5)),
                        CircuitBreakerSettings.DEFAULT,
                        Weights.DEFAULT),
                new Control(Control.Mode.PAUSED, 7),
                new PermitLog.Head(1, 5, Long.MIN_VALUE, 2, -4, 3, Long.MIN_VALUE),
                0.1,
                1_800_000_000_000_000_001L,
                3,
                2,
                1,
                new CircuitBreaker.State(CircuitBreaker.Phase.HALF_OPEN, 4, 99, Set.of(11L, 12L), 1),
                new Hold.State(5, 6),
                new Silence.State(1, 2, 3));

        HeadForm form = new HeadForm();

        assertThat(HeadForm.lane(HeadForm.bytes(lane))).isEqualTo(lane);
        assertThat(HeadForm.upstream(form.bytes(upstream))).isEqualTo(upstream);
        assertThat(HeadForm.upstream(form.bytes(upstream))).isEqualTo(upstream);
    }

    /** What stands in stores out there: another form is another version. */
    @Test
    void shouldWriteTheFormsThatEarlierBuildsWrote() {
        Job out = job(ID, JobStatus.DISPATCHED, new Job.Place(null, null, 17L, AT, AT.plusSeconds(30)), AT, "cancel-1");
        LanePage lane = new LanePage();
        @Nullable LaneEntry[] entries = lane.none();
        entries[2] = new LaneEntry(ID, 300, AT, true);
        entries[3] = new LaneEntry("no uuid", 1, AT, false);
        LaneState state = new LaneState(
                LaneState.VERSION, new LaneKey("gemini", "tenant", Priority.LOW), -2, 9, 7, 21, 100, 130, 3.75);
        Timer doubt = new Timer(AT, Timer.Kind.DOUBT, "api", ID);
        TimerPage timers = new TimerPage(doubt);
        timers.add(doubt);
        JobPage calls = new JobPage();
        @Nullable Job[] underWay = calls.none();
        underWay[5] = out;
        JobRequest request = request(ID, Map.of("X", "ü"), "a body", null);

        assertThat(hex(JobForm.bytes(Submission.of(request), first(request), new FormWriter())))
                .isEqualTo(
                        "02010101caf495b00d959aef3a010b30302d74726163652d3031497b226d6574686f64223a22505554222c2270617468223a"
                                + "222f76312f783f793dc3bc222c2268656164657273223a7b2258223a22c3bc227d2c22626f6479223a226120626f6479227d"
                                + "010198c1de7b007abc8def0123456789ab0674656e616e740667656d696e690102c0f495b00d959aef3a01a4f595b00d959a"
                                + "ef3a0468617368020100000000010674656e616e74010a00000000");
        String job =
                "02010198c1de7b007abc8def0123456789ab0674656e616e740667656d696e6900ac02c0f495b00d959aef3a01c0f495b00d"
                        + "959aef3a0468617368030c010203040000012201c0f495b00d959aef3a01fcf495b00d959aef3a010863616e63656c2d31";
        assertThat(hex(JobForm.bytes(out))).isEqualTo(job);
        assertThat(hex(calls.bytes(underWay))).isEqualTo("010563" + job);
        assertThat(hex(lane.bytes(entries)))
                .isEqualTo(
                        "0112010198c1de7b007abc8def0123456789abac02c0f495b00d959aef3a0302076e6f207575696401c0f495b00d959aef3a");
        assertThat(hex(HeadForm.bytes(state)))
                .isEqualTo("010667656d696e690674656e616e740203120715c8018402400e000000000000");
        assertThat(hex(timers.bytes())).isEqualTo("0100010198c1de7b007abc8def0123456789ab");
    }

    private static String hex(byte @Nullable [] bytes) {
        return HexFormat.of().formatHex(Objects.requireNonNull(bytes));
    }

    @Test
    void shouldKeepTimersOfOnePageTogether_untilItIsFullOrTheyLieTooFarApart() {
        Timer first = new Timer(AT, Timer.Kind.DOUBT, "api", ID);
        TimerPage page = new TimerPage(first);
        page.add(first);
        List<Timer> expected = new ArrayList<>(List.of(first));
        for (int i = 1; i < TimerPage.MOST_TIMERS; i++) {
            Timer timer = new Timer(AT.plusNanos(i * 7_000_001L), Timer.Kind.DOUBT, "api", "id-" + i);
            assertThat(page.takes(timer)).isTrue();
            assertThat(page.takes(new Timer(AT.minusNanos(1), Timer.Kind.DOUBT, "api", ID)))
                    .isFalse();
            assertThat(page.takes(new Timer(AT.plus(TimerPage.SPAN).plusNanos(1), Timer.Kind.DOUBT, "api", ID)))
                    .isFalse();
            expected.add(timer);
            page.add(timer);
        }

        assertThat(page.takes(first)).isFalse();
        assertThat(TimerPage.read(page.key(), page.bytes())).isEqualTo(expected);
    }

    @Test
    void shouldKeepPermits_asTheyAlwaysWereKept() {
        PermitPage form = new PermitPage();
        PermitPage.@Nullable Permit[] page = form.none();
        page[0] = new PermitPage.Permit(1L << 60, 21, 1);
        page[1] = new PermitPage.Permit(-2, 22, 1000);
        ByteBuffer expected = ByteBuffer.allocate(41).put((byte) 1);
        expected.putLong(1L << 60).putLong(21).putInt(1).putLong(-2).putLong(22).putInt(1000);

        byte[] bytes = form.bytes(page);

        assertThat(bytes).isEqualTo(expected.array());
        assertThat(form.entries(expected.array())).isEqualTo(page);
        assertThat(form.bytes(form.none())).isNull();
        page[0] = null;
        assertThat(form.entries(form.bytes(page))[1])
                .as("where the one before is gone")
                .isEqualTo(page[1]);
    }

    @Test
    void shouldSayWhatToDo_whenAValueIsOfAnUnknownVersion() {
        byte[] bytes = JobForm.bytes(job(ID, JobStatus.QUEUED, new Job.Place("t", 1L, null, null, null), null, null));
        bytes[0] = 3;

        assertThatThrownBy(() -> JobForm.job(bytes))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("a job of version 3")
                .hasMessageContaining("start the one that wrote it");
    }

    private static Job job(String id, JobStatus status, Job.Place place, Instant deadline, String cancel) {
        return new Job(
                Job.VERSION,
                new Job.Spec(id, "tenant", "gemini", Priority.HIGH, 300, AT, deadline, "hash"),
                status,
                12,
                new Job.Tally(1, 2, 3, 4),
                place,
                cancel);
    }

    private static JobRequest request(String id, Map<String, String> headers, String body, String bodyBase64) {
        return new JobRequest(
                JobRequest.VERSION,
                id,
                "tenant",
                "gemini",
                new Call("PUT", "/v1/x?y=ü", headers, body, bodyBase64),
                Priority.NORMAL,
                AT.plusSeconds(5),
                AT.plusSeconds(50),
                2,
                AT,
                "hash",
                "00-trace-01");
    }

    private static Job first(JobRequest request) {
        return new Job(
                Job.VERSION,
                new Job.Spec(
                        request.id(),
                        request.tenant(),
                        request.upstream(),
                        request.priority(),
                        request.cost(),
                        request.acceptedAt(),
                        request.deadline(),
                        request.bodyHash()),
                JobStatus.QUEUED,
                1,
                new Job.Tally(0, 0, 0, 0),
                new Job.Place("tenant", 5L, null, null, null),
                null);
    }
}
