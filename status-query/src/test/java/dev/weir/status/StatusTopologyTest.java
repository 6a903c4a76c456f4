package dev.weir.status;

import static dev.weir.status.TopologyFixture.ID;
import static dev.weir.status.TopologyFixture.event;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StatusTopologyTest {
    @SuppressWarnings("NullAway.Init")
    private TopologyFixture fixture;

    @BeforeEach
    void open(@TempDir Path stateDir) {
        fixture = new TopologyFixture(stateDir);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    private JobEvent stored(String id) {
        JobEvent job = fixture.jobs().get(id);
        assertThat(job).as("job %s", id).isNotNull();
        return job;
    }

    @Test
    void shouldShowAccepted_whenOnlyTheIngressHasSpoken() {
        fixture.accept(ID);

        JobEvent job = stored(ID);
        assertThat(job.status()).isEqualTo(JobStatus.ACCEPTED);
        assertThat(job.revision()).isZero();
        assertThat(job.updatedAt()).isEqualTo(TopologyFixture.T0);
    }

    @Test
    void shouldKeepTheHigherRevision_whenTheAcceptedRecordComesLast() {
        fixture.tell(event(JobStatus.QUEUED, 1));
        fixture.accept(ID);

        assertThat(stored(ID).status()).isEqualTo(JobStatus.QUEUED);
    }

    @Test
    void shouldNeverStepBack_whenEventsComeTwiceAndInAnyOrder() {
        List<JobEvent> events = List.of(
                event(JobStatus.QUEUED, 1),
                event(JobStatus.DISPATCHED, 2),
                event(JobStatus.RETRYING, 3),
                event(JobStatus.QUEUED, 4),
                event(JobStatus.DISPATCHED, 5),
                event(JobStatus.SUCCEEDED, 6));
        long seed = Long.getLong("weir.seed", System.nanoTime());
        List<JobEvent> shuffled = new ArrayList<>(events);
        shuffled.addAll(events);
        Collections.shuffle(shuffled, new Random(seed));
        fixture.accept(ID);

        long highest = 0;
        for (JobEvent event : shuffled) {
            fixture.tell(event);
            highest = Math.max(highest, event.revision());
            assertThat(stored(ID).revision()).as("seed %d", seed).isEqualTo(highest);
        }
        assertThat(stored(ID).status()).isEqualTo(JobStatus.SUCCEEDED);
    }

    @Test
    void shouldKeepTheFirst_whenTwoAcceptedRecordsShareAnId() {
        fixture.accept(ID);
        fixture.accepted.pipeInput(
                ID,
                ("{\"v\":1,\"id\":\"" + ID + "\",\"tenant\":\"local\",\"upstream\":\"gemini\",\"priority\":\"low\","
                                + "\"acceptedAt\":\"2026-11-22T11:00:00Z\",\"bodyHash\":\"other\"}")
                        .getBytes(StandardCharsets.UTF_8));

        assertThat(stored(ID).bodyHash()).isEqualTo("hash-" + ID);
    }

    @Test
    void shouldPassOverAPoisonRecordAndCountIt_whenItCannotBeRead() {
        CompletableFuture<@Nullable Void> passed = fixture.progress.whenAccepted(0, 4);
        fixture.accepted.pipeInput(ID, "no json".getBytes(StandardCharsets.UTF_8));
        fixture.accepted.pipeInput(ID, "{\"v\":1}".getBytes(StandardCharsets.UTF_8));
        fixture.accepted.pipeInput("another-key", new byte[0]);
        assertThat(passed).isNotDone();
        fixture.accept(ID);

        assertThat(passed).isCompleted();
        assertThat(stored(ID).status()).isEqualTo(JobStatus.ACCEPTED);
        assertThat(fixture.metrics
                        .counter("weir_status_unreadable_total", "topic", Topics.ACCEPTED)
                        .count())
                .isEqualTo(3);
    }

    @Test
    void shouldForgetAJobSevenDaysAfterItsEnd_andNoWaitingJob() {
        String waiting = ID.replace('1', '2');
        fixture.accept(waiting);
        fixture.tell(event(JobStatus.DEAD, 3));

        fixture.driver.advanceWallClockTime(StatusTopology.KEEP_FINISHED);
        assertThat(fixture.jobs().get(ID)).isNotNull();
        fixture.driver.advanceWallClockTime(Duration.ofSeconds(15));

        assertThat(fixture.jobs().get(ID)).isNull();
        assertThat(fixture.jobs().get(waiting)).isNotNull();
        try (var ends = fixture.driver.getKeyValueStore(StatusTopology.ENDS).all()) {
            assertThat(ends.hasNext()).isFalse();
        }
    }

    @Test
    void shouldForgetABoundedNumberAtOnce_whenManyJobsAreOld() {
        int jobs = JobStatesProcessor.MOST_FORGOTTEN_AT_ONCE + 10;
        for (int i = 0; i < jobs; i++) {
            fixture.tell(event("job-" + i, JobStatus.SUCCEEDED, 1, 1, null, null, true));
        }

        fixture.driver.advanceWallClockTime(StatusTopology.KEEP_FINISHED.plusDays(1));
        assertThat(count()).isEqualTo(10);
        fixture.driver.advanceWallClockTime(JobStatesProcessor.CLEAN_EVERY);

        assertThat(count()).isZero();
    }

    @Test
    void shouldMendTheIndexes_whenACrashCameBetweenTheWritesToTheStores() {
        JobEvent end = event(JobStatus.DEAD, 3);
        fixture.tell(event(JobStatus.QUEUED, 1));
        fixture.tell(end);
        empty(StatusTopology.ENDS);
        fixture.<Bytes, byte[]>store(StatusTopology.LISTING)
                .put(Listing.key(end), Listing.value(event(JobStatus.QUEUED, 1)));

        fixture.tell(event(JobStatus.QUEUED, 1));
        fixture.tell(end);

        byte[] listed = fixture.<Bytes, byte[]>store(StatusTopology.LISTING).get(Listing.key(end));
        assertThat(Listing.entry(Listing.key(end), listed).status()).isEqualTo(JobStatus.DEAD);
        fixture.driver.advanceWallClockTime(StatusTopology.KEEP_FINISHED.plusDays(1));
        assertThat(fixture.jobs().get(ID)).isNull();
        assertThat(isEmpty(StatusTopology.LISTING)).isTrue();
    }

    @Test
    void shouldForgetWhatIsListed_whenACrashCameBetweenTheDeletions() {
        fixture.tell(event(JobStatus.DEAD, 3));
        fixture.jobs().delete(ID);

        fixture.driver.advanceWallClockTime(StatusTopology.KEEP_FINISHED.plusDays(1));

        assertThat(isEmpty(StatusTopology.LISTING)).isTrue();
        assertThat(isEmpty(StatusTopology.ENDS)).isTrue();
    }

    @Test
    void shouldForgetAJobThatEndedBeforeTheOldestForgotten_whenItComesLate() {
        fixture.tell(event(ID, JobStatus.DEAD, 50, 1, null, null, false));
        fixture.driver.advanceWallClockTime(StatusTopology.KEEP_FINISHED.plusDays(1));
        String late = ID.replace('1', '2');

        fixture.tell(event(late, JobStatus.DEAD, 3, 1, null, null, false));
        fixture.driver.advanceWallClockTime(JobStatesProcessor.CLEAN_EVERY);

        assertThat(fixture.jobs().get(late)).isNull();
    }

    @Test
    void shouldSayNothingNewOfItsAge_whileItIsBehindItself() {
        fixture.driver.advanceWallClockTime(JobStatesProcessor.BEAT_EVERY);
        JobEvent before = stored(StatusTopology.BEAT);
        fixture.progress.started(0);

        fixture.driver.advanceWallClockTime(Duration.ofMinutes(1));
        assertThat(stored(StatusTopology.BEAT)).isEqualTo(before);

        fixture.progress.catchingUp().forEach(fixture.progress::caughtUp);
        fixture.driver.advanceWallClockTime(JobStatesProcessor.BEAT_EVERY);
        assertThat(stored(StatusTopology.BEAT).updatedAt()).isAfter(before.updatedAt());
    }

    private boolean isEmpty(String store) {
        try (var all = fixture.<Bytes, byte[]>store(store).all()) {
            return !all.hasNext();
        }
    }

    private void empty(String store) {
        List<Bytes> keys = new ArrayList<>();
        try (var all = fixture.<Bytes, byte[]>store(store).all()) {
            all.forEachRemaining(entry -> keys.add(entry.key));
        }
        keys.forEach(fixture.<Bytes, byte[]>store(store)::delete);
    }

    private int count() {
        int count = 0;
        try (var all = fixture.jobs().all()) {
            while (all.hasNext()) {
                if (!all.next().key.equals(StatusTopology.BEAT)) {
                    count++;
                }
            }
        }
        return count;
    }

    @Test
    void shouldTellTheLanesHead_whenJobsJoinAndLeave() {
        JobEvent queued = event(ID, JobStatus.QUEUED, 1, 0, 7L, null, false);
        String second = ID.replace('1', '2');
        fixture.tell(queued);
        fixture.tell(event(second, JobStatus.QUEUED, 1, 0, 8L, null, false));
        assertThat(fixture.lanes.head(queued)).isEqualTo(7);

        fixture.tell(event(ID, JobStatus.DISPATCHED, 2, 1, null, TopologyFixture.T0, false));

        assertThat(fixture.lanes.head(queued)).isEqualTo(8);
    }

    @Test
    void shouldNameEverything_whenDescribed() {
        String described = new StatusTopology(fixture.progress, List.of(fixture.lanes), fixture.metrics, true)
                .get()
                .describe()
                .toString();

        assertThat(described)
                .contains(
                        "accepted (topics: [weir.accepted])",
                        "job-events (topics: [weir.job-events])",
                        "Processor: job-states (stores: [")
                .doesNotContain("KSTREAM", "000000");
    }
}
