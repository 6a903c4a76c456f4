package dev.weir.throttler.topology;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Journal;
import dev.weir.throttler.upstream.Timer;
import dev.weir.throttler.upstream.UpstreamState;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** The journal of one task: its two stores and the topology's sinks, all of one transaction. */
final class StoreJournal implements Journal {
    /** Of a job's first state, which stands with its request. */
    private static final long FIRST_REVISION = 1;
    /** The ends of so many lanes and permit logs, less than a kilobyte each. */
    private static final int RECENT_PAGES = 512;

    private final KeyValueStore<Bytes, byte[]> jobs;
    private final KeyValueStore<Bytes, byte[]> heads;
    private final ProcessorContext<String, byte[]> context;
    private final ThrottleMetrics metrics;
    private final LongSupplier nowMs;
    /** Nobody else writes to the stores: what was written last need not be looked for in them. */
    private final Map<Bytes, byte[]> recentPages = new LinkedHashMap<>(RECENT_PAGES, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Bytes, byte[]> eldest) {
            return size() > RECENT_PAGES;
        }
    };

    private final StoredTimers timers;
    private final HeadForm headForm = new HeadForm();
    /** Is written with its job's first state. */
    private @Nullable JobRequest unwritten;

    private @Nullable String lastReadId;
    private byte @Nullable [] lastRead;

    StoreJournal(
            KeyValueStore<Bytes, byte[]> jobs,
            KeyValueStore<Bytes, byte[]> heads,
            ProcessorContext<String, byte[]> context,
            ThrottleMetrics metrics,
            LongSupplier nowMs) {
        this.jobs = jobs;
        this.heads = heads;
        this.timers = new StoredTimers(jobs, heads);
        this.context = context;
        this.metrics = metrics;
        this.nowMs = nowMs;
    }

    @Override
    public @Nullable Job job(String id) {
        byte[] job = jobs.get(Keys.job(id));
        return job != null ? JobForm.job(job) : submitted(id);
    }

    @Override
    public @Nullable Job submitted(String id) {
        byte[] request = storedRequest(id);
        return request == null ? null : JobForm.submitted(request);
    }

    @Override
    public void putJob(Job job) {
        JobRequest request = unwritten;
        unwritten = null;
        if (job.status().finished()) {
            putRequest(job.id(), JobForm.end(job));
            if (job.revision() > FIRST_REVISION + 1) {
                jobs.delete(Keys.job(job.id()));
            }
        } else if (request != null) {
            if (!request.id().equals(job.id())) {
                throw new IllegalStateException(
                        "the request of " + request.id() + " is followed by the state of " + job.id());
            }
            putRequest(job.id(), JobForm.bytes(request, job));
        } else {
            jobs.put(Keys.job(job.id()), JobForm.bytes(job));
        }
    }

    @Override
    public void deleteJob(String id) {
        lastReadId = null;
        jobs.delete(Keys.request(id));
    }

    @Override
    public JobRequest request(String jobId) {
        if (unwritten != null && unwritten.id().equals(jobId)) {
            return unwritten;
        }
        byte[] stored = storedRequest(jobId);
        JobRequest request = stored == null ? null : JobForm.request(stored);
        if (request == null) {
            throw new IllegalStateException("job " + jobId + " waits, but what it asks for is not in the store");
        }
        return request;
    }

    @Override
    public void putRequest(JobRequest request) {
        unwritten = request;
    }

    private void putRequest(String id, byte[] form) {
        lastReadId = null;
        jobs.put(Keys.request(id), form);
    }

    /** A job is looked at first, then what it asks for: that is read once. */
    private byte @Nullable [] storedRequest(String id) {
        if (!id.equals(lastReadId)) {
            lastRead = jobs.get(Keys.request(id));
            lastReadId = id;
        }
        return lastRead;
    }

    @Override
    public void putPermit(String upstream, long number, long slot, long arrival, int cost) {
        Bytes key = Keys.permitPage(upstream, PermitRecord.page(number));
        putPage(key, new PermitRecord(slot, arrival, cost).on(page(key), number));
    }

    /** The permits before it are forgotten by then, so its page goes with the last one on it. */
    @Override
    public void deletePermit(String upstream, long number) {
        if (PermitRecord.endsPage(number)) {
            putPage(Keys.permitPage(upstream, PermitRecord.page(number)), null);
        }
    }

    @Override
    public void putTimer(Timer timer) {
        timers.put(timer);
    }

    @Override
    public void deleteTimer(Timer timer) {
        timers.delete(timer);
    }

    @Override
    public @Nullable LaneEntry laneEntry(LaneKey lane, long number) {
        byte[] page = page(Keys.lanePage(lane, LanePage.page(number)));
        return page == null ? null : LanePage.entry(page, number);
    }

    @Override
    public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
        Bytes key = Keys.lanePage(lane, LanePage.page(number));
        putPage(key, LanePage.with(page(key), number, entry));
    }

    @Override
    public void deleteLaneEntry(LaneKey lane, long number) {
        Bytes key = Keys.lanePage(lane, LanePage.page(number));
        byte[] page = page(key);
        if (page != null) {
            putPage(key, LanePage.without(page, number));
        }
    }

    private byte @Nullable [] page(Bytes key) {
        byte[] page = recentPages.get(key);
        return page == null ? heads.get(key) : page;
    }

    private void putPage(Bytes key, byte @Nullable [] page) {
        heads.put(key, page);
        if (page == null) {
            recentPages.remove(key);
        } else {
            recentPages.put(key, page);
        }
    }

    @Override
    public void putLane(LaneState lane) {
        heads.put(Keys.lane(lane.key()), HeadForm.bytes(lane));
    }

    @Override
    public void deleteLane(LaneKey lane) {
        heads.delete(Keys.lane(lane));
    }

    @Override
    public void putState(UpstreamState state) {
        heads.put(Keys.upstream(state.settings().upstream()), headForm.bytes(state));
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
        return all(Keys.UPSTREAM, HeadForm::upstream);
    }

    List<LaneState> lanes() {
        return all(Keys.LANE, HeadForm::lane);
    }

    /** Puts an upstream's permits back into its log, in order. */
    void restore(String upstream, PermitLog.Head head, PermitLog log) {
        if (head.first() == head.next()) {
            return;
        }
        Bytes from = Keys.permitPage(upstream, PermitRecord.page(head.first()));
        Bytes to = Keys.permitPage(upstream, PermitRecord.page(head.next() - 1));
        long number = head.first();
        try (KeyValueIterator<Bytes, byte[]> pages = heads.range(from, to)) {
            while (pages.hasNext()) {
                byte[] page = pages.next().value;
                long end = Math.min(head.next(), (PermitRecord.page(number) + 1) * PermitRecord.PAGE);
                for (; number < end; number++) {
                    PermitRecord permit = PermitRecord.read(page, number);
                    if (permit == null) {
                        throw new IllegalStateException("permit " + number + " of " + upstream
                                + " is missing in the store: the log has a hole");
                    }
                    log.restore(number, permit.slot(), permit.arrival(), permit.cost());
                }
            }
        }
    }

    /** Timers that are due by now, the earliest first, at most so many; they are taken out. */
    List<Timer> takeDue(Instant now, int most) {
        return timers.takeDue(now, most);
    }

    /** The highest time that was reached: no timer is due before this. */
    Instant lowWater() {
        return timers.lowWater();
    }

    private <T> List<T> all(byte kind, Function<byte[], T> form) {
        List<T> out = new ArrayList<>();
        try (KeyValueIterator<Bytes, byte[]> entries = heads.range(Keys.start(kind), Keys.end(kind))) {
            while (entries.hasNext()) {
                out.add(form.apply(entries.next().value));
            }
        }
        return out;
    }
}
