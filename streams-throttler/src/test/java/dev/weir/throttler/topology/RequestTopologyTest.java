package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.testing.ThrottleHarness;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What becomes of what comes in: jobs with dates, jobs twice, cancellations, and what is no job at all. */
class RequestTopologyTest {
    private final ThrottleHarness harness =
            ThrottleHarness.of(UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1))));

    @AfterEach
    void close() {
        harness.close();
    }

    @Test
    void shouldWaitForNotBefore_andExpireAtTheDeadline() {
        JobRequest later = harness.job().notBefore(Duration.ofSeconds(30)).submit();
        JobRequest never = harness.job()
                .notBefore(Duration.ofSeconds(60))
                .deadline(Duration.ofSeconds(45))
                .submit();

        harness.advance(Duration.ofSeconds(29));
        assertThat(harness.waitingPermits()).isZero();
        harness.advance(Duration.ofSeconds(2));
        Permit permit = harness.nextPermit();
        assertThat(permit.jobId()).isEqualTo(later.id());
        harness.answer(permit, 200);
        harness.advance(Duration.ofSeconds(60));

        assertThat(harness.waitingPermits()).isZero();
        assertThat(harness.statuses(never)).containsExactly(JobStatus.SCHEDULED, JobStatus.EXPIRED);
        assertThat(harness.events(never).get(1).finishedAt()).isEqualTo(never.deadline());
    }

    @Test
    void shouldKeepAJobsPlace_whenTheRestartComesBeforeAnyTick() {
        JobRequest job = harness.submit();

        harness.restart().advance(Duration.ofSeconds(1));

        assertThat(harness.takePermits()).extracting(Permit::jobId).containsExactly(job.id());
    }

    @Test
    void shouldTakeAJobOnce_whenItComesTwice() {
        JobRequest job = harness.submit();
        harness.send(job);
        harness.job().id(job.id()).bodyHash("another").submit();

        harness.advance(Duration.ofSeconds(1));

        assertThat(harness.takePermits()).extracting(Permit::jobId).containsExactly(job.id());
    }

    @Test
    void shouldForgetAFinishedJob_aWeekLater() {
        harness.dispatcher().start();
        JobRequest job = harness.submit();
        harness.submit(20);
        harness.advanceUntilFinished(Duration.ofMinutes(1));
        int kept = harness.storedEntries();

        harness.advance(Duration.ofDays(6));
        harness.send(job);
        harness.advance(Duration.ofDays(2));

        // The job that came again is known no more; what is left is of the upstream itself.
        assertThat(harness.calls().cost()).isEqualTo(21);
        assertThat(harness.storedEntries()).isLessThan(kept / 5);
    }

    @Test
    void shouldTakeAJobOut_whereverItWaits_whenItIsCancelled() {
        JobRequest scheduled = harness.job().notBefore(Duration.ofMinutes(1)).submit();
        JobRequest failed = harness.submit();
        harness.advance(Duration.ofSeconds(1));
        harness.fail(harness.nextPermit());
        JobRequest queued = harness.submit();

        harness.cancel(scheduled);
        harness.cancel(failed);
        harness.cancel(queued);
        harness.advance(Duration.ofHours(1));

        assertThat(harness.count(JobStatus.CANCELLED)).isEqualTo(3);
        assertThat(harness.waitingPermits()).isZero();
        assertThat(harness.slots().cost()).isEqualTo(1);
    }

    @Test
    void shouldSayThatItIsTooLate_whenADispatchedJobIsCancelled() {
        JobRequest job = harness.submit();
        harness.advance(Duration.ofSeconds(1));

        harness.cancel(job);

        assertThat(harness.events(job)).last().satisfies(event -> {
            assertThat(event.status()).isEqualTo(JobStatus.DISPATCHED);
            assertThat(event.cancel()).isNotNull();
        });
        harness.answer(harness.nextPermit(), 200);
        assertThat(harness.statusOf(job)).isEqualTo(JobStatus.SUCCEEDED);
    }

    @Test
    void shouldKeepAPoisonRecordAsideAndGoOn() {
        harness.pipe(Topics.REQUESTS, ThrottleHarness.UPSTREAM, "{\"id\":".getBytes(StandardCharsets.UTF_8));
        harness.pipe(Topics.REQUESTS, ThrottleHarness.UPSTREAM, "{}".getBytes(StandardCharsets.UTF_8));
        harness.pipe(Topics.REQUESTS, ThrottleHarness.UPSTREAM, null);
        harness.pipe(Topics.OUTCOMES, ThrottleHarness.UPSTREAM, new byte[] {0, 1, 2});
        harness.pipe(Topics.UPSTREAMS, ThrottleHarness.UPSTREAM, new byte[] {0, 1, 2});
        JobRequest job = harness.submit();

        harness.advance(Duration.ofSeconds(1));

        assertThat(harness.deadLetters()).hasSize(5).allSatisfy(letter -> {
            assertThat(letter.sourceTopic()).isNotNull();
            assertThat(letter.reason()).isNotBlank();
        });
        assertThat(harness.nextPermit().jobId()).isEqualTo(job.id());
    }

    @Test
    void shouldTakeADateOutOfAllReachForWhatItIs_andGoOn() {
        harness.job().notBefore(Instant.MIN).submit();
        JobRequest expired = harness.job().deadline(Instant.MIN).submit();
        harness.job().deadline(Instant.MAX).submit();

        harness.advance(Duration.ofSeconds(1));

        assertThat(harness.takePermits()).hasSize(2);
        assertThat(harness.statuses(expired)).containsExactly(JobStatus.EXPIRED);
    }

    @Test
    void shouldGiveAJobItsEnd_whenItsUpstreamIsNotConfigured() {
        JobRequest lost = harness.job().upstream("nobody").submit();

        assertThat(harness.events(lost)).extracting(JobEvent::status).containsExactly(JobStatus.DEAD);
        assertThat(harness.deadLetters()).extracting(DeadLetter::request).containsExactly(lost);
    }
}
