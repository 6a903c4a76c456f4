package dev.weir.throttler.simulation;

import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
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
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A journal for a million jobs: arrays instead of maps, no timers, nothing of jobs that have ended. A job's id is its number.
 */
final class SlimJournal implements Journal {
    private final JobRequest request;
    private final @Nullable Job[] jobs;
    private final Map<LaneKey, @Nullable LaneEntry[]> entries = new HashMap<>();

    /** Sent since they were cleared last. */
    final List<Permit> permits = new ArrayList<>();

    final @Nullable JobEvent[] queued;

    /** @param request stands for what every job asks for */
    SlimJournal(int jobs, JobRequest request) {
        this.request = request;
        this.jobs = new Job[jobs];
        this.queued = new JobEvent[jobs];
    }

    @Override
    public @Nullable Job job(String id) {
        return jobs[Integer.parseInt(id)];
    }

    @Override
    public void putJob(Job job) {
        jobs[Integer.parseInt(job.id())] = job.status().finished() ? null : job;
    }

    @Override
    public void deleteJob(String id) {
        jobs[Integer.parseInt(id)] = null;
    }

    @Override
    public JobRequest request(String jobId) {
        return request;
    }

    @Override
    public void putRequest(Submission submission) {
        // one stands for all
    }

    @Override
    public void putPermit(String upstream, long number, long slot, long arrival, int cost) {
        // never restarted
    }

    @Override
    public void deletePermit(String upstream, long number) {
        // never restarted
    }

    @Override
    public void putTimer(Timer timer) {
        // every call is answered, and nothing is scheduled
    }

    @Override
    public void deleteTimer(Timer timer) {
        // there is none
    }

    @Override
    public void putState(UpstreamState state) {
        // never restarted
    }

    @Override
    public void send(Grant grant) {
        permits.add(grant.of(request));
    }

    @Override
    public void send(JobEvent event) {
        if (event.status() == JobStatus.QUEUED) {
            queued[Integer.parseInt(event.id())] = event;
        }
    }

    @Override
    public void send(DeadLetter letter) {
        throw new AssertionError(letter.toString());
    }

    @Override
    public @Nullable LaneEntry laneEntry(LaneKey lane, long number) {
        LaneEntry[] of = entries.get(lane);
        return of == null ? null : of[(int) number];
    }

    @Override
    public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
        LaneEntry[] of = entries.computeIfAbsent(lane, l -> new LaneEntry[16]);
        if (number >= of.length) {
            of = java.util.Arrays.copyOf(of, of.length * 2);
            entries.put(lane, of);
        }
        of[(int) number] = entry;
    }

    @Override
    public void deleteLaneEntry(LaneKey lane, long number) {
        LaneEntry[] of = entries.get(lane);
        if (of != null) {
            of[(int) number] = null;
        }
    }

    @Override
    public void putLane(LaneState lane) {
        // never restarted
    }

    @Override
    public void deleteLane(LaneKey lane, long head) {
        // never restarted
    }
}
