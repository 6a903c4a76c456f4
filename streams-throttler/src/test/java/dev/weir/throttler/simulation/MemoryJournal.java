package dev.weir.throttler.simulation;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.upstream.Grant;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Journal;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Submission;
import dev.weir.throttler.upstream.Throttle;
import dev.weir.throttler.upstream.Timer;
import dev.weir.throttler.upstream.UpstreamState;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A journal in memory with transactions: what was written since the last commit is undone by a crash, and what was sent since
 * then is never seen.
 */
final class MemoryJournal implements Journal {
    private record PermitEntry(long slot, long arrival, int cost) {}

    private final Map<String, Job> jobs = new HashMap<>();
    private final Map<String, JobRequest> requests = new HashMap<>();
    private final Map<String, Job> submitted = new HashMap<>();
    private final TreeMap<Long, PermitEntry> permits = new TreeMap<>();
    private final Map<LaneKey, LaneState> lanes = new HashMap<>();
    private final Map<LaneKey, TreeMap<Long, LaneEntry>> entries = new HashMap<>();
    private final TreeSet<Timer> timers = new TreeSet<>(
            Comparator.comparing(Timer::due).thenComparing(Timer::kind).thenComparing(Timer::jobId));
    private long lowWater = Long.MIN_VALUE;
    private @Nullable UpstreamState state;
    private final Deque<Runnable> undo = new ArrayDeque<>();
    private List<Step> steps = new ArrayList<>();

    /** What the transaction did, in order; it is durable now. */
    List<Step> commit() {
        undo.clear();
        List<Step> committed = steps;
        steps = new ArrayList<>();
        return committed;
    }

    /** Back to the last commit. */
    void abort() {
        while (!undo.isEmpty()) {
            undo.pop().run();
        }
        steps.clear();
    }

    /** A throttle on what is there; its head records have been through their stored form. */
    Throttle open(Settings seed) {
        UpstreamState kept = state == null ? null : Json.read(Json.bytes(state), UpstreamState.class);
        Settings settings = kept == null ? seed : kept.settings();
        PermitLog log = new PermitLog(settings.windows(), settings.burst());
        if (kept != null) {
            permits.subMap(kept.log().first(), kept.log().next())
                    .forEach((n, p) -> log.restore(n, p.slot(), p.arrival(), p.cost()));
        }
        Lanes all = new Lanes(this, settings.weights());
        lanes.values().forEach(lane -> all.restore(Json.read(Json.bytes(lane), LaneState.class)));
        return new Throttle(settings, kept, log, all, this);
    }

    /** Notes what went in, between what came out. */
    void note(Step step) {
        steps.add(step);
    }

    /** The next timer that is due by now, taken out; null when there is none, and then none will be put before now. */
    @Nullable
    Timer takeDue(long now) {
        Instant at = EpochNanos.toInstant(now);
        if (timers.isEmpty() || timers.first().due().isAfter(at)) {
            if (now > lowWater) {
                long before = lowWater;
                undo.push(() -> lowWater = before);
                lowWater = now;
            }
            return null;
        }
        Timer timer = timers.first();
        deleteTimer(timer);
        return timer;
    }

    /** No timer is due before this: time must not go below it. */
    long lowWater() {
        return lowWater;
    }

    @Nullable
    Instant nextTimer() {
        return timers.isEmpty() ? null : timers.first().due();
    }

    @Override
    public @Nullable Job job(String id) {
        return jobs.get(id);
    }

    @Override
    public void putJob(Job job) {
        if (job.status().finished() || !jobs.containsKey(job.id())) {
            put(submitted, job.id(), job);
        }
        put(jobs, job.id(), job);
        if (job.status().finished()) {
            put(requests, job.id(), null);
        }
    }

    @Override
    public @Nullable Job submitted(String id) {
        return submitted.get(id);
    }

    @Override
    public void deleteJob(String id) {
        put(jobs, id, null);
        put(submitted, id, null);
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
        put(requests, submission.spec().id(), submission.request());
    }

    @Override
    public void putPermit(String upstream, long number, long slot, long arrival, int cost) {
        put(permits, number, new PermitEntry(slot, arrival, cost));
    }

    @Override
    public void deletePermit(String upstream, long number) {
        put(permits, number, null);
        steps.add(new Step.Forgot(number));
    }

    @Override
    public void putTimer(Timer timer) {
        if (EpochNanos.of(timer.due()) < lowWater) {
            throw new AssertionError(timer + " lies below the low-water mark of the timers: it would never be read");
        }
        if (timers.add(timer)) {
            undo.push(() -> timers.remove(timer));
        }
    }

    @Override
    public void deleteTimer(Timer timer) {
        if (timers.remove(timer)) {
            undo.push(() -> timers.add(timer));
        }
    }

    @Override
    public void putState(UpstreamState newState) {
        UpstreamState before = state;
        undo.push(() -> state = before);
        state = newState;
    }

    @Override
    public void send(Grant grant) {
        steps.add(new Step.Gave(grant.of(request(grant.job().id()))));
    }

    @Override
    public void send(JobEvent event) {
        steps.add(new Step.Changed(event));
    }

    @Override
    public void send(DeadLetter letter) {
        steps.add(new Step.Buried(letter));
    }

    @Override
    public @Nullable LaneEntry laneEntry(LaneKey lane, long number) {
        return entries(lane).get(number);
    }

    @Override
    public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
        put(entries(lane), number, entry);
    }

    @Override
    public void deleteLaneEntry(LaneKey lane, long number) {
        put(entries(lane), number, null);
    }

    @Override
    public void putLane(LaneState lane) {
        put(lanes, lane.key(), lane);
    }

    @Override
    public void deleteLane(LaneKey lane, long head) {
        put(lanes, lane, null);
    }

    private TreeMap<Long, LaneEntry> entries(LaneKey lane) {
        return entries.computeIfAbsent(lane, l -> new TreeMap<>());
    }

    private <K, V> void put(Map<K, V> map, K key, @Nullable V value) {
        V before = value == null ? map.remove(key) : map.put(key, value);
        undo.push(() -> {
            if (before == null) {
                map.remove(key);
            } else {
                map.put(key, before);
            }
        });
    }
}
