package dev.weir.throttler.topology;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.upstream.Grant;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Journal;
import dev.weir.throttler.upstream.Submission;
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
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.Nullable;

/** The journal of one task: its two stores and the topology's sinks, all of one transaction. */
final class StoreJournal implements Journal {
    /** Of a job's first state, which stands with its request. */
    private static final long FIRST_REVISION = 1;

    private final KeyValueStore<Bytes, byte[]> jobs;
    private final KeyValueStore<Bytes, byte[]> heads;
    private final ProcessorContext<String, byte[]> context;
    private final ThrottleMetrics metrics;
    private final LongSupplier nowMs;
    private final ReadAhead ahead;
    private final HeadWrites headWrites;
    private final NewestIds newestIds;
    /** States of jobs that are written with the next {@link #flush}: the store takes many at once for less. */
    private final Map<Bytes, byte[]> unwrittenJobs = new LinkedHashMap<>();

    private final StoredTimers timers;
    private final HeadForm headForm = new HeadForm();
    /** Is written with its job's first state. */
    private @Nullable Submission unwritten;

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
        this.ahead = new ReadAhead(jobs);
        this.headWrites = new HeadWrites(heads);
        this.newestIds = new NewestIds(heads);
        this.timers = new StoredTimers(jobs, heads, headWrites);
        this.context = context;
        this.metrics = metrics;
        this.nowMs = nowMs;
    }

    @Override
    public @Nullable Job job(String id) {
        Bytes key = Keys.job(id);
        byte[] job = unwrittenJobs.get(key);
        job = job == null ? jobs.get(key) : job;
        return job != null ? JobForm.job(job) : looked(id);
    }

    /** Whoever asks for one of a lane asks for the next soon. */
    @Override
    public @Nullable Job submitted(String id) {
        if (!id.equals(lastReadId)) {
            lastRead = ahead.get(Keys.request(id));
            lastReadId = id;
        }
        return looked(id);
    }

    private @Nullable Job looked(String id) {
        byte[] request = storedRequest(id);
        return request == null ? null : JobForm.submitted(request);
    }

    @Override
    public @Nullable Job known(String id) {
        return newestIds.isNew(id) ? null : looked(id);
    }

    @Override
    public void putJob(Job job) {
        Submission submission = unwritten;
        unwritten = null;
        if (job.status().finished()) {
            putRequest(job.id(), JobForm.end(job));
            if (job.revision() > FIRST_REVISION + 1) {
                delete(Keys.job(job.id()));
            }
        } else if (submission != null) {
            if (!submission.spec().id().equals(job.id())) {
                throw new IllegalStateException(
                        "the request of " + submission.spec().id() + " is followed by the state of " + job.id());
            }
            putRequest(job.id(), JobForm.bytes(submission, job));
        } else {
            unwrittenJobs.put(Keys.job(job.id()), JobForm.bytes(job));
        }
    }

    @Override
    public void deleteJob(String id) {
        putRequest(id, null);
    }

    /** Not the store's own, which reads what was there first. */
    private void delete(Bytes key) {
        unwrittenJobs.remove(key);
        jobs.put(key, null);
    }

    @Override
    public JobRequest request(String jobId) {
        Submission submission = unwritten;
        if (submission != null && submission.spec().id().equals(jobId)) {
            return submission.request();
        }
        return kept(jobId, JobForm::request);
    }

    @Override
    public void putRequest(Submission submission) {
        unwritten = submission;
    }

    private <T> T kept(String jobId, Function<byte[], @Nullable T> form) {
        byte[] stored = storedRequest(jobId);
        T kept = stored == null ? null : form.apply(stored);
        if (kept == null) {
            throw new IllegalStateException("job " + jobId + " waits, but what it asks for is not in the store");
        }
        return kept;
    }

    private void putRequest(String id, byte @Nullable [] form) {
        Bytes key = Keys.request(id);
        lastReadId = null;
        ahead.changed(key);
        jobs.put(key, form);
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
        headWrites.put(key, new PermitRecord(slot, arrival, cost).on(headWrites.get(key), number));
    }

    /** The permits before it are forgotten by then, so its page goes with the last one on it. */
    @Override
    public void deletePermit(String upstream, long number) {
        if (PermitRecord.endsPage(number)) {
            headWrites.put(Keys.permitPage(upstream, PermitRecord.page(number)), null);
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
        byte[] page = headWrites.get(Keys.lanePage(lane, LanePage.page(number)));
        return page == null ? null : LanePage.entry(page, number);
    }

    @Override
    public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
        Bytes key = Keys.lanePage(lane, LanePage.page(number));
        headWrites.put(key, LanePage.with(headWrites.get(key), number, entry));
    }

    @Override
    public void deleteLaneEntry(LaneKey lane, long number) {
        Bytes key = Keys.lanePage(lane, LanePage.page(number));
        byte[] page = headWrites.get(key);
        if (page != null) {
            headWrites.put(key, LanePage.without(page, number));
        }
    }

    /** Nobody reads what stands before a lane's head, so its page goes with the last place on it. */
    @Override
    public void passLaneEntry(LaneKey lane, long number) {
        if (LanePage.endsPage(number)) {
            headWrites.put(Keys.lanePage(lane, LanePage.page(number)), null);
        }
    }

    @Override
    public void putLane(LaneState lane) {
        headWrites.put(lane);
    }

    @Override
    public void deleteLane(LaneKey lane, long head) {
        if (!LanePage.endsPage(head - 1)) {
            headWrites.put(Keys.lanePage(lane, LanePage.page(head)), null);
        }
        headWrites.delete(lane);
    }

    @Override
    public void putState(UpstreamState state) {
        headWrites.put(Keys.upstream(state.settings().upstream()), headForm.bytes(state));
    }

    @Override
    public void send(Grant grant) {
        String id = grant.job().id();
        metrics.released(grant.job().upstream());
        forward(id, PermitJson.bytes(grant, kept(id, JobForm::asked)), ThrottleTopology.DISPATCH_SINK);
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
        forward(key, Json.bytes(value), sink);
    }

    private void forward(String key, byte[] value, String sink) {
        context.forward(new Record<>(key, value, nowMs.getAsLong()), sink);
    }

    /** Writes what was changed and is not written yet: after each record, and after each step of a tick. */
    void flush() {
        List<KeyValue<Bytes, byte[]>> states = new ArrayList<>(unwrittenJobs.size());
        unwrittenJobs.forEach((key, job) -> states.add(KeyValue.pair(key, job)));
        unwrittenJobs.clear();
        if (!states.isEmpty()) {
            jobs.putAll(states);
        }
        headWrites.flush();
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
