package dev.weir.status;

import static dev.weir.status.TopologyFixture.event;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class JobResultsTest {
    @SuppressWarnings("NullAway.Init")
    private static ResultsDatabase database;

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
    private Instant now = TopologyFixture.T0;
    private final JobResults results = new JobResults(database.dataSource(), metrics, () -> now);
    private final String id = UUID.randomUUID().toString();

    @BeforeAll
    static void open() throws IOException {
        database = new ResultsDatabase();
    }

    @AfterAll
    static void close() throws IOException {
        database.close();
    }

    @AfterEach
    void closeResults() {
        results.close();
    }

    private JobEvent finished(JobStatus status, int attempts) {
        return event(id, status, 9, attempts, null, null, true);
    }

    private static JobResults.Found ask(JobResults results, JobEvent job) throws Exception {
        return results.of(job).get(10, TimeUnit.SECONDS);
    }

    private String shown(JobEvent job) throws Exception {
        return new String(Json.bytes(ask(results, job)), StandardCharsets.UTF_8);
    }

    @Test
    void shouldGiveJsonDigitForDigit_whenTheAnswerIsJson() throws Exception {
        database.answered(id, 1, 200, "application/json; charset=utf-8", "{\"n\": 1.00000000000000000001}\n");

        assertThat(shown(finished(JobStatus.SUCCEEDED, 1)))
                .contains("\"status\":200", "\"body\":{\"n\": 1.00000000000000000001}}", "\"pending\":false");
    }

    @Test
    void shouldGiveTheText_whenItOnlyClaimsToBeJson() throws Exception {
        database.answered(id, 1, 200, "application/json", "{\"a\": 1} trailing");

        assertThat(shown(finished(JobStatus.SUCCEEDED, 1))).contains("\"body\":\"{\\\"a\\\": 1} trailing\"");
    }

    @Test
    void shouldGiveTheText_whenTheAnswerIsPlainText() throws Exception {
        database.answered(id, 1, 200, "text/plain", "12");

        assertThat(shown(finished(JobStatus.SUCCEEDED, 1))).contains("\"body\":\"12\"");
    }

    @Test
    void shouldGiveBase64AndSayCut_whenTheAnswerIsBytes() throws Exception {
        database.row(id, 1, 200, "{}", new byte[] {(byte) 0xff, 0}, false, true);

        assertThat(shown(finished(JobStatus.SUCCEEDED, 1)))
                .contains("\"bodyBase64\":\"/wA=\"", "\"cut\":true")
                .doesNotContain("\"body\"");
    }

    @Test
    void shouldWaitForThe2xx_whenASucceededJobHasOnlyItsEarlierFailure() throws Exception {
        database.answered(id, 1, 500, "text/plain", "no");
        JobEvent job = finished(JobStatus.SUCCEEDED, 2);
        now = now.plus(Duration.ofHours(1));
        assertThat(ask(results, job)).isEqualTo(JobResults.Found.PENDING);

        database.answered(id, 2, 201, "text/plain", "yes");

        assertThat(shown(job)).contains("\"status\":201", "\"body\":\"yes\"");
    }

    @Test
    void shouldGiveAnEarlierAnswerOnlyAfterAWait_whenTheLastAttemptLeftNoRow() throws Exception {
        database.answered(id, 1, 500, "text/plain", "no");
        JobEvent job = finished(JobStatus.DEAD, 2);
        assertThat(ask(results, job)).isEqualTo(JobResults.Found.PENDING);

        now = now.plus(Duration.ofMinutes(1));

        assertThat(shown(job)).contains("\"status\":500");
    }

    @Test
    void shouldGiveTheLastAnswerAtOnce_whenTheLastAttemptFailedWithoutOne() throws Exception {
        database.answered(id, 1, 500, "text/plain", "no");
        database.failed(id, 2);

        assertThat(shown(finished(JobStatus.DEAD, 2))).contains("\"status\":500");
    }

    @Test
    void shouldGiveNone_whenTheJobIsNotFinishedOrHasNoAnswer() throws Exception {
        database.answered(id, 1, 200, "text/plain", "yes");

        assertThat(ask(results, event(id, JobStatus.DISPATCHED, 3, 1, null, null, false)))
                .isEqualTo(JobResults.Found.NONE);
        assertThat(ask(results, event(id, JobStatus.CANCELLED, 3, 1, null, null, false)))
                .isEqualTo(JobResults.Found.NONE);
    }

    @Test
    void shouldAskTheDatabaseOnce_whenAResultIsFinal() throws Exception {
        database.answered(id, 1, 200, "text/plain", "kept");
        JobEvent job = finished(JobStatus.SUCCEEDED, 1);
        ask(results, job);
        database.jdbi()
                .useHandle(handle -> handle.execute("delete from results where job_id = ?", UUID.fromString(id)));

        assertThat(shown(job)).contains("\"body\":\"kept\"");
    }

    @Test
    void shouldBePendingWithinTheBound_whenThereIsNoDatabase() throws Exception {
        HikariConfig nowhere = new HikariConfig();
        nowhere.setJdbcUrl("jdbc:postgresql://127.0.0.1:1/none");
        nowhere.setConnectionTimeout(1000);
        nowhere.setInitializationFailTimeout(-1);
        try (HikariDataSource pool = new HikariDataSource(nowhere);
                JobResults cut = new JobResults(pool, metrics, () -> now)) {
            JobEvent job = finished(JobStatus.SUCCEEDED, 1);

            long before = System.nanoTime();
            assertThat(ask(cut, job)).isEqualTo(JobResults.Found.PENDING);
            assertThat(Duration.ofNanos(System.nanoTime() - before))
                    .isLessThan(JobResults.LOOKUP_TIMEOUT.plusSeconds(3));
            assertThat(ask(cut, job)).isEqualTo(JobResults.Found.PENDING);
        }
    }
}
