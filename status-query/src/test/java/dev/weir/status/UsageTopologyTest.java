package dev.weir.status;

import static dev.weir.status.TopologyFixture.ID;
import static dev.weir.status.TopologyFixture.T0;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.status.usage.Counts;
import dev.weir.status.usage.Grain;
import dev.weir.status.usage.UsageStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.streams.query.Query;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UsageTopologyTest {
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

    private static JobEvent event(
            String tenant, JobStatus status, long revision, Instant at, int cost, @Nullable Boolean again) {
        return new JobEventBuilder(ID, status, revision)
                .tenant(tenant)
                .updatedAt(at)
                .dueAt(status == JobStatus.DISPATCHED ? at : null)
                .cost(cost)
                .again(again)
                .build();
    }

    private List<UsageStore.Row> rows(Grain grain, Instant from, Instant to) {
        UsageStore.Stores stores = new UsageStore.Stores() {
            @Override
            public <R> R answer(String store, Query<R> query) {
                return fixture.stores().answer(store, 0, query);
            }
        };
        return UsageStore.read(stores, new UsageStore.Question(grain, from, to, grain.width(), null, null))
                .rows();
    }

    private Counts counts(Grain grain, Instant start) {
        List<UsageStore.Row> rows = rows(grain, start, start.plus(grain.width()));
        assertThat(rows).hasSizeLessThan(2);
        return rows.isEmpty() ? Counts.NONE : rows.get(0).counts();
    }

    @Test
    void shouldCountEachThingWhereItHappened_whenAJobRunsThroughTwoMinutes() {
        fixture.accept(ID);
        fixture.tell(event("acme", JobStatus.QUEUED, 1, T0.plusSeconds(1), 3, null));
        fixture.tell(event("acme", JobStatus.DISPATCHED, 2, T0.plusSeconds(50), 3, null));
        fixture.tell(event("acme", JobStatus.DISPATCHED, 3, T0.plusSeconds(50), 3, true));
        fixture.tell(event("acme", JobStatus.RETRYING, 4, T0.plusSeconds(51), 3, null));
        fixture.tell(event("acme", JobStatus.QUEUED, 5, T0.plusSeconds(60), 3, null));
        fixture.tell(event("acme", JobStatus.DISPATCHED, 6, T0.plusSeconds(61), 3, null));
        fixture.tell(event("acme", JobStatus.SUCCEEDED, 7, T0.plusSeconds(62), 3, null));

        assertThat(counts(Grain.MINUTE, T0)).isEqualTo(new Counts(1, 1, 3, 0, 0, 0, 0));
        assertThat(counts(Grain.MINUTE, T0.plusSeconds(60))).isEqualTo(new Counts(0, 1, 3, 1, 0, 0, 0));
        assertThat(counts(Grain.HOUR, T0)).isEqualTo(new Counts(1, 2, 6, 1, 0, 0, 0));
    }

    @Test
    void shouldKeepTenantsApart_andCountEveryEnd() {
        fixture.tell(event("acme", JobStatus.DEAD, 1, T0, 1, null));
        fixture.tell(event("acme", JobStatus.EXPIRED, 2, T0, 1, null));
        fixture.tell(event("other", JobStatus.CANCELLED, 2, T0, 1, null));

        assertThat(rows(Grain.MINUTE, T0, T0.plusSeconds(60)))
                .containsExactlyInAnyOrder(
                        new UsageStore.Row(T0, "acme", "gemini", new Counts(1, 0, 0, 0, 1, 0, 1)),
                        new UsageStore.Row(T0, "other", "gemini", new Counts(0, 0, 0, 0, 0, 1, 0)));
    }

    @Test
    void shouldForgetMinutesAfterTwoDays_andHoursAfterThirtyFive() {
        fixture.tell(event("acme", JobStatus.SUCCEEDED, 1, T0, 1, null));
        fixture.tell(event("acme", JobStatus.SUCCEEDED, 1, T0.plus(Duration.ofDays(3)), 1, null));

        assertThat(counts(Grain.MINUTE, T0)).isEqualTo(Counts.NONE);
        assertThat(counts(Grain.HOUR, T0).succeeded()).isEqualTo(1);

        fixture.tell(event("acme", JobStatus.SUCCEEDED, 1, T0.plus(Duration.ofDays(40)), 1, null));
        assertThat(counts(Grain.HOUR, T0)).isEqualTo(Counts.NONE);
    }

    @Test
    void shouldPassOverWhatIsNoEvent() {
        fixture.events.pipeInput(ID, new byte[] {1});
        fixture.accepted.pipeInput(ID, Json.bytes("text"));

        assertThat(rows(Grain.HOUR, T0, T0.plusSeconds(3600))).isEmpty();
        assertThat(fixture.metrics
                        .counter("weir_status_unreadable_total", "topic", Topics.JOB_EVENTS)
                        .count())
                .isEqualTo(1);
    }
}
