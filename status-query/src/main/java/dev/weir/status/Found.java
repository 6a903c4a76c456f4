package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What a store says of a job.
 *
 * @param job null when there is no such job
 * @param asOf null when this is the newest state; else the state is that of this instant, and may have changed since
 */
record Found(@Nullable JobEvent job, @Nullable Instant asOf) {
    static final Found NONE = new Found(null, null);

    static Found newest(@Nullable JobEvent job) {
        return new Found(job, null);
    }

    /** An end is never left, so whoever knows it knows the newest state. */
    static Found of(JobEvent job, Instant asOf) {
        return new Found(job, job.status().finished() ? null : asOf);
    }
}
