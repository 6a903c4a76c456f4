package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Makes of a job's state what clients are shown of it. Thread-safe. */
final class JobViews {
    private final Waits waits;
    private final JobResults results;

    JobViews(Waits waits, JobResults results) {
        this.waits = waits;
        this.results = results;
    }

    JobResults results() {
        return results;
    }

    ListedJob listed(JobEvent job) {
        return new ListedJob(
                job.id(),
                job.tenant(),
                job.upstream(),
                job.status(),
                job.attempts(),
                job.acceptedAt(),
                job.updatedAt(),
                waits.position(job),
                waits.eta(job),
                job.finishedAt(),
                job.error());
    }

    JobView of(JobEvent job, JobResults.Found found, @Nullable Instant asOf) {
        return new JobView(listed(job), found.result(), found.pending() ? Boolean.TRUE : null, asOf);
    }
}
