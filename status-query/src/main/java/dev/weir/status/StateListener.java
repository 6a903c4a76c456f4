package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import org.jspecify.annotations.Nullable;

/** Hears of each change of a job's stored state, on the stream thread: it must not block. */
interface StateListener {
    /** @param from null when the job was not known before */
    void moved(@Nullable JobEvent from, JobEvent to);
}
