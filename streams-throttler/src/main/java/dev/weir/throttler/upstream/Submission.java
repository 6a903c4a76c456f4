package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.JobRequest;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** A job as it comes: what is decided by, and the request itself, which is only kept. */
public interface Submission {
    Job.Spec spec();

    /** When it joins its lane; null when at once. */
    @Nullable
    Instant notBefore();

    /** All of it. */
    JobRequest request();

    static Submission of(JobRequest request) {
        Job.Spec spec = new Job.Spec(
                request.id(),
                request.tenant(),
                request.upstream(),
                request.priority(),
                request.cost(),
                request.acceptedAt(),
                request.deadline(),
                request.bodyHash());
        return new Whole(spec, request.notBefore(), request);
    }

    /** One that was read whole. */
    record Whole(Job.Spec spec, @Nullable Instant notBefore, JobRequest request) implements Submission {}
}
