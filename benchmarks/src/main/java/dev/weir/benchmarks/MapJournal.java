package dev.weir.benchmarks;

import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.upstream.Grant;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Journal;
import dev.weir.throttler.upstream.Submission;
import dev.weir.throttler.upstream.Timer;
import dev.weir.throttler.upstream.UpstreamState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A journal in maps, so that a decision's own cost is measured and no store's. A finished job is forgotten at once: a run is
 * weeks of virtual time. Not thread-safe.
 */
final class MapJournal implements Journal {
    private record Place(LaneKey lane, long number) {}

    private final Map<String, Job> jobs = new HashMap<>();
    private final Map<String, JobRequest> requests = new HashMap<>();
    private final Map<Place, LaneEntry> entries = new HashMap<>();
    private final Map<LaneKey, LaneState> lanes = new HashMap<>();
    private final Map<Long, Long> permits = new HashMap<>();
    private final Set<Timer> timers = new HashSet<>();
    private List<Permit> sent = new ArrayList<>();
    private @Nullable UpstreamState state;
    private long events;

    /** The permits since the last time. */
    List<Permit> takeSent() {
        List<Permit> out = sent;
        sent = new ArrayList<>(out.size());
        return out;
    }

    /** So that nothing that is written can be optimised away. */
    int checksum() {
        return (int) events + lanes.size() + (state == null ? 0 : state.v());
    }

    @Override
    public @Nullable Job job(String id) {
        return jobs.get(id);
    }

    @Override
    public void putJob(Job job) {
        if (job.status().finished()) {
            jobs.remove(job.id());
            requests.remove(job.id());
        } else {
            jobs.put(job.id(), job);
        }
    }

    @Override
    public void deleteJob(String id) {
        jobs.remove(id);
    }

    @Override
    public JobRequest request(String jobId) {
        JobRequest request = requests.get(jobId);
        if (request == null) {
            throw new IllegalStateException("no request of " + jobId);
        }
        return request;
    }

    @Override
    public void putRequest(Submission submission) {
        requests.put(submission.spec().id(), submission.request());
    }

    @Override
    public void putPermit(String upstream, long number, long slot, long arrival, int cost) {
        permits.put(number, slot);
    }

    @Override
    public void deletePermit(String upstream, long number) {
        permits.remove(number);
    }

    @Override
    public void putTimer(Timer timer) {
        if (timer.kind() != Timer.Kind.FORGET) {
            timers.add(timer);
        }
    }

    @Override
    public void deleteTimer(Timer timer) {
        timers.remove(timer);
    }

    @Override
    public void putState(UpstreamState newState) {
        state = newState;
    }

    @Override
    public void send(Grant grant) {
        sent.add(grant.of(request(grant.job().id())));
    }

    @Override
    public void send(JobEvent event) {
        events += event.revision();
    }

    @Override
    public void send(DeadLetter letter) {
        throw new IllegalStateException("job " + letter.jobId() + " died of: " + letter.reason());
    }

    @Override
    public @Nullable LaneEntry laneEntry(LaneKey lane, long number) {
        return entries.get(new Place(lane, number));
    }

    @Override
    public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
        entries.put(new Place(lane, number), entry);
    }

    @Override
    public void deleteLaneEntry(LaneKey lane, long number) {
        entries.remove(new Place(lane, number));
    }

    @Override
    public void putLane(LaneState lane) {
        lanes.put(lane.key(), lane);
    }

    @Override
    public void deleteLane(LaneKey lane, long head) {
        lanes.remove(lane);
    }
}
