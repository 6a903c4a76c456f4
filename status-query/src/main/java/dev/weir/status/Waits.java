package dev.weir.status;

import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import java.time.Instant;
import java.time.InstantSource;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** When a job will be called and what place it has in its lane: the throttle's own forecast, read for one job. Thread-safe. */
final class Waits {
    private final Function<String, @Nullable Forecast> forecasts;
    private final LaneHeads lanes;
    private final InstantSource clock;

    /** @param forecasts the newest forecast of an upstream, null while none is known */
    Waits(Function<String, @Nullable Forecast> forecasts, LaneHeads lanes, InstantSource clock) {
        this.forecasts = forecasts;
        this.lanes = lanes;
        this.clock = clock;
    }

    /** From 1; null unless the job stands in its lane. */
    @Nullable
    Long position(JobEvent job) {
        Long seq = job.laneSeq();
        if (job.status() != JobStatus.QUEUED || seq == null) {
            return null;
        }
        Long head = head(job);
        return head == null ? 1 : Math.max(1, seq - head + 1);
    }

    private @Nullable Long head(JobEvent job) {
        Forecast forecast = forecasts.apply(job.upstream());
        Forecast.Lane lane = forecast == null ? null : lane(forecast, job);
        return lane == null ? lanes.head(job) : Long.valueOf(lane.head());
    }

    private static Forecast.@Nullable Lane lane(Forecast forecast, JobEvent job) {
        for (Forecast.Lane lane : forecast.lanes()) {
            if (lane.tenant().equals(job.lane()) && lane.priority() == job.priority()) {
                return lane;
            }
        }
        return null;
    }

    /** When its call is expected; null once it is made or never will be, and while there is no forecast. */
    @Nullable
    Instant eta(JobEvent job) {
        Instant now = clock.instant();
        if (job.status() == JobStatus.DISPATCHED) {
            // Once its slot has come it is being called; a permit not used in time brings it back to the lane.
            return job.dueAt() != null && job.dueAt().isAfter(now) ? job.dueAt() : null;
        }
        Forecast forecast = forecasts.apply(job.upstream());
        if (job.status().finished() || forecast == null) {
            return null;
        }
        Instant permit = job.status() == JobStatus.QUEUED && job.lane() != null && job.laneSeq() != null
                ? permitOfQueued(forecast, job, job.lane(), job.laneSeq())
                : forecast.etaOfNewJob(job.tenant(), job.priority(), job.cost());
        if (permit == null) {
            return null;
        }
        Instant due = job.dueAt() == null ? now : later(job.dueAt(), now);
        return later(permit, due);
    }

    /** A forecast comes once a second: a job may have joined its lane since, and one that it saw leave is still shown here. */
    private @Nullable Instant permitOfQueued(Forecast forecast, JobEvent job, String laneName, long seq) {
        Forecast.Lane lane = lane(forecast, job);
        Long head = lane == null ? lanes.head(job) : Long.valueOf(lane.head());
        if (head != null && seq < head) {
            return forecast.state().equals(Forecast.PAUSED) ? null : forecast.timeOfPermit(0);
        }
        if (lane != null && seq < lane.tail()) {
            return forecast.etaOfQueuedJob(laneName, job.priority(), seq, job.laneCost());
        }
        long since;
        if (lane == null) {
            since = head == null ? 0 : seq - head;
        } else {
            since = job.laneCost() == null ? seq - lane.tail() : job.laneCost() - lane.tailCost();
        }
        return forecast.etaOfNewJob(laneName, job.priority(), job.cost(), Math.max(0, since));
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }
}
