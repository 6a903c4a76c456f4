package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** An event of a job that costs one permit and is the tenant {@code local}'s, unless it is said otherwise. */
public final class JobEventBuilder {
    private final String id;
    private final JobStatus status;
    private final long revision;
    private String tenant = "local";
    private int attempts = 1;
    private @Nullable Long laneSeq;
    private Instant acceptedAt = TopologyFixture.T0;
    private Instant updatedAt;
    private @Nullable Instant dueAt;
    private boolean answered;
    private int cost = 1;
    private @Nullable Boolean again;

    public JobEventBuilder(String id, JobStatus status, long revision) {
        this.id = id;
        this.status = status;
        this.revision = revision;
        this.updatedAt = TopologyFixture.T0.plusSeconds(revision);
    }

    public JobEventBuilder tenant(String value) {
        tenant = value;
        return this;
    }

    JobEventBuilder attempts(int value) {
        attempts = value;
        return this;
    }

    JobEventBuilder laneSeq(@Nullable Long value) {
        laneSeq = value;
        return this;
    }

    JobEventBuilder acceptedAt(Instant value) {
        acceptedAt = value;
        return this;
    }

    /** When it is finished, too, if it is. */
    public JobEventBuilder updatedAt(Instant value) {
        updatedAt = value;
        return this;
    }

    public JobEventBuilder dueAt(@Nullable Instant value) {
        dueAt = value;
        return this;
    }

    JobEventBuilder answered(boolean value) {
        answered = value;
        return this;
    }

    public JobEventBuilder cost(int value) {
        cost = value;
        return this;
    }

    JobEventBuilder again(@Nullable Boolean value) {
        again = value;
        return this;
    }

    public JobEvent build() {
        return new JobEvent(
                JobEvent.VERSION,
                id,
                tenant,
                "gemini",
                status,
                revision,
                attempts,
                Priority.NORMAL,
                laneSeq == null ? null : tenant,
                laneSeq,
                laneSeq,
                acceptedAt,
                updatedAt,
                dueAt,
                status.finished() ? updatedAt : null,
                null,
                answered,
                "hash-" + id,
                null,
                cost,
                again);
    }
}
