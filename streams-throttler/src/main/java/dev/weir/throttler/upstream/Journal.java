package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.throttler.lanes.LaneStore;
import org.jspecify.annotations.Nullable;

/**
 * Where decisions are written: what is kept, and what is sent. All that one decision writes becomes durable together, or not
 * at all.
 */
public interface Journal extends LaneStore {
    @Nullable
    Job job(String id);

    /**
     * A job that was submitted: in the first state that it was kept in, or in the one in which it ended; null when it is not
     * known. This takes less than {@link #job}, and is the same for a job that ended or was never put a second time.
     */
    default @Nullable Job submitted(String id) {
        return job(id);
    }

    /** The same of a job that most likely is not known. It is put next if it is not. */
    default @Nullable Job known(String id) {
        return submitted(id);
    }

    /** What a job that has ended asked for is let go with that. */
    void putJob(Job job);

    void deleteJob(String id);

    /** @throws IllegalStateException when it is not there, which a waiting job's always is */
    JobRequest request(String jobId);

    /** The job's first state follows at once, and stands beside it. */
    void putRequest(Submission submission);

    void putPermit(String upstream, long number, long slot, long arrival, int cost);

    /** A new permit: there was never one of this number or a higher one. */
    default void addPermit(String upstream, long number, long slot, long arrival, int cost) {
        putPermit(upstream, number, slot, arrival, cost);
    }

    void deletePermit(String upstream, long number);

    void putTimer(Timer timer);

    /** Only those whose kind says so are taken out before their time. */
    void deleteTimer(Timer timer);

    void putState(UpstreamState state);

    /** The permit goes out with what its job asks for. */
    void send(Grant grant);

    void send(JobEvent event);

    void send(DeadLetter letter);
}
