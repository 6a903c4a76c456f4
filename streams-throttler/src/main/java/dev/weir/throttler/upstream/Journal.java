package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.lanes.LaneStore;
import org.jspecify.annotations.Nullable;

/**
 * Where decisions are written: what is kept, and what is sent. All that one decision writes becomes durable together, or not
 * at all.
 */
public interface Journal extends LaneStore {
    @Nullable
    Job job(String id);

    void putJob(Job job);

    void deleteJob(String id);

    /** @throws IllegalStateException when it is not there, which a waiting job's always is */
    JobRequest request(String jobId);

    void putRequest(JobRequest request);

    void deleteRequest(String jobId);

    void putPermit(String upstream, long number, long slot, long arrival, int cost);

    void deletePermit(String upstream, long number);

    void putTimer(Timer timer);

    void deleteTimer(Timer timer);

    void putState(UpstreamState state);

    void send(Permit permit);

    void send(JobEvent event);

    void send(DeadLetter letter);
}
