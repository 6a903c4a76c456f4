package dev.weir.status;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import org.jspecify.annotations.Nullable;

/**
 * The head of each lane as the job events tell it. A forecast tells it better, but comes once a second and names only lanes
 * that had jobs then; this bridges the gap. Partitions interleave, so it may be off by a few places. Thread-safe.
 */
final class LaneHeads implements StateListener {
    static final int MOST_LANES = 50_000;

    private record LaneKey(String upstream, @Nullable String lane, Priority priority) {
        static LaneKey of(JobEvent job) {
            return new LaneKey(job.upstream(), job.lane(), job.priority());
        }
    }

    private final Cache<LaneKey, Long> heads =
            Caffeine.newBuilder().maximumSize(MOST_LANES).build();

    @Override
    public void moved(@Nullable JobEvent from, JobEvent to) {
        if (from != null && from.status() == JobStatus.QUEUED && from.laneSeq() != null) {
            heads.asMap().merge(LaneKey.of(from), from.laneSeq() + 1, Math::max);
        }
        if (to.status() == JobStatus.QUEUED && to.laneSeq() != null) {
            heads.asMap().merge(LaneKey.of(to), to.laneSeq(), Math::min);
        }
    }

    /** The number of the job that leaves the lane next, or null when no event has told. */
    @Nullable
    Long head(JobEvent job) {
        return heads.getIfPresent(LaneKey.of(job));
    }
}
