package dev.weir.throttler.topology;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Journal;
import dev.weir.throttler.upstream.Timer;
import dev.weir.throttler.upstream.UpstreamState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** The journal of one task: its two stores and the topology's sinks, all of one transaction. */
final class StoreJournal implements Journal {
    private static final byte[] PRESENT = {1};
    private static final String LOW_WATER = "timers";

    private final KeyValueStore<Bytes, byte[]> jobs;
    private final KeyValueStore<Bytes, byte[]> heads;
    private final ProcessorContext<String, byte[]> context;
    private final ThrottleMetrics metrics;
    private final LongSupplier nowMs;

    StoreJournal(
            KeyValueStore<Bytes, byte[]> jobs,
            KeyValueStore<Bytes, byte[]> heads,
            ProcessorContext<String, byte[]> context,
            ThrottleMetrics metrics,
            LongSupplier nowMs) {
        this.jobs = jobs;
        this.heads = heads;
        this.context = context;
        this.metrics = metrics;
        this.nowMs = nowMs;
    }

    @Override
    public @Nullable Job job(String id) {
        return read(jobs.get(Keys.job(id)), Job.class);
    }

    @Override
    public void putJob(Job job) {
        jobs.put(Keys.job(job.id()), Json.bytes(job));
    }

    @Override
    public void deleteJob(String id) {
        jobs.delete(Keys.job(id));
    }

    @Override
    public JobRequest request(String jobId) {
        JobRequest request = read(jobs.get(Keys.request(jobId)), JobRequest.class);
        if (request == null) {
            throw new IllegalStateException("job " + jobId + " waits, but what it asks for is not in the store");
        }
        return request;
    }

    @Override
    public void putRequest(JobRequest request) {
        jobs.put(Keys.request(request.id()), Json.bytes(request));
    }

    @Override
    public void deleteRequest(String jobId) {
        jobs.delete(Keys.request(jobId));
    }

    @Override
    public void putPermit(String upstream, long number, long slot, long arrival, int cost) {
        jobs.put(Keys.permit(upstream, number), new PermitRecord(slot, arrival, cost).bytes());
    }

    @Override
    public void deletePermit(String upstream, long number) {
        jobs.delete(Keys.permit(upstream, number));
    }

    @Override
    public void putTimer(Timer timer) {
        jobs.put(Keys.timer(timer), PRESENT);
    }

    @Override
    public void deleteTimer(Timer timer) {
        jobs.delete(Keys.timer(timer));
    }

    @Override
    public @Nullable LaneEntry laneEntry(LaneKey lane, long number) {
        return read(jobs.get(Keys.laneEntry(lane, number)), LaneEntry.class);
    }

    @Override
    public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
        jobs.put(Keys.laneEntry(lane, number), Json.bytes(entry));
    }

    @Override
    public void deleteLaneEntry(LaneKey lane, long number) {
        jobs.delete(Keys.laneEntry(lane, number));
    }

    @Override
    public void putLane(LaneState lane) {
        heads.put(Keys.lane(lane.key()), Json.bytes(lane));
    }

    @Override
    public void deleteLane(LaneKey lane) {
        heads.delete(Keys.lane(lane));
    }

    @Override
    public void putState(UpstreamState state) {
        heads.put(Keys.upstream(state.settings().upstream()), Json.bytes(state));
    }

    @Override
    public void send(Permit permit) {
        metrics.released(permit.upstream());
        forward(permit.jobId(), permit, ThrottleTopology.DISPATCH_SINK);
    }

    @Override
    public void send(JobEvent event) {
        if (event.status().finished()) {
            metrics.finished(event.upstream(), event.status());
        }
        forward(event.id(), event, ThrottleTopology.EVENTS_SINK);
    }

    @Override
    public void send(DeadLetter letter) {
        String key = letter.jobId() != null ? letter.jobId() : String.valueOf(letter.sourceTopic());
        forward(key, letter, ThrottleTopology.DEAD_LETTERS_SINK);
    }

    void forward(String key, Object value, String sink) {
        context.forward(new Record<>(key, Json.bytes(value), nowMs.getAsLong()), sink);
    }

    List<UpstreamState> states() {
        return all(heads, Keys.UPSTREAM, UpstreamState.class);
    }

    List<LaneState> lanes() {
        return all(heads, Keys.LANE, LaneState.class);
    }

    /** The permits of an upstream from one number to another, the last exclusive, in order. */
    KeyValueIterator<Bytes, byte[]> permits(String upstream, long from, long to) {
        return jobs.range(Keys.permit(upstream, from), Keys.permit(upstream, to - 1));
    }

    /** Timers that are due by now, the earliest first, at most so many; they are taken out. */
    List<Timer> takeDue(Instant now, int most) {
        Instant from = lowWater();
        List<Timer> due = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> timers =
                jobs.range(Keys.timersFrom(from), Keys.timersFrom(now.plusNanos(1)))) {
            while (timers.hasNext() && due.size() < most) {
                due.add(Keys.timer(timers.next().key));
            }
        }
        for (Timer timer : due) {
            deleteTimer(timer);
        }
        Instant mark = due.size() == most ? due.get(most - 1).due() : now;
        if (mark.isAfter(from)) {
            heads.put(Keys.mark(LOW_WATER), Json.bytes(mark));
        }
        return due;
    }

    /** No timer is due before this: deleted ones are never scanned twice. */
    Instant lowWater() {
        Instant mark = read(heads.get(Keys.mark(LOW_WATER)), Instant.class);
        return mark == null ? Instant.EPOCH : mark;
    }

    private static <T> List<T> all(KeyValueStore<Bytes, byte[]> store, byte kind, Class<T> type) {
        List<T> out = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> entries = store.range(Keys.start(kind), Keys.end(kind))) {
            while (entries.hasNext()) {
                out.add(Json.read(entries.next().value, type));
            }
        }
        return out;
    }

    private static <T> @Nullable T read(byte @Nullable [] bytes, Class<T> type) {
        return bytes == null ? null : Json.read(bytes, type);
    }
}
