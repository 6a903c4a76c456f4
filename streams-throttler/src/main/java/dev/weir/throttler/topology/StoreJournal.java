package dev.weir.throttler.topology;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.JsonWriter;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
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
import java.util.List;
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
    /** Held as objects: the ends of so many lanes. */
    static final int MOST_LANE_PAGES = 1024;
    /** Held as objects: the ends of so many logs, and what is in flight. */
    static final int MOST_PERMIT_PAGES = 256;

    /** Of a job's first state, which stands with its request. */
    private static final long FIRST_REVISION = 1;

    private final StoreWrites jobs;
    private final HeadWrites heads;
    private final ProcessorContext<String, byte[]> context;
    private final ThrottleMetrics metrics;
    private final LongSupplier nowMs;
    private final Pages<LaneKey, LaneEntry> entries;
    private final PermitPage permitForm = new PermitPage();
    private final Pages<String, PermitPage.Permit> permits;
    private final NewestIds newestIds;
    private final DispatchedJobs dispatched;
    private final StoredTimers timers;
    private final HeadForm headForm = new HeadForm();
    private final JsonWriter json = new JsonWriter();
    private final FormWriter writer = new FormWriter();
    /** Is written with its job's first state. */
    private @Nullable Submission unwritten;

    private @Nullable String lastReadId;
    private JobForm.@Nullable Stored lastRead;

    StoreJournal(
            KeyValueStore<Bytes, byte[]> jobs,
            KeyValueStore<Bytes, byte[]> heads,
            ProcessorContext<String, byte[]> context,
            ThrottleMetrics metrics,
            LongSupplier nowMs) {
        this.jobs = new StoreWrites(jobs);
        this.heads = new HeadWrites(heads);
        this.entries = new Pages<>(this.heads, new LanePage(), MOST_LANE_PAGES);
        this.permits = new Pages<>(this.heads, permitForm, MOST_PERMIT_PAGES);
        this.newestIds = new NewestIds(this.heads);
        this.dispatched = new DispatchedJobs(this.heads);
        this.timers = new StoredTimers(this.jobs, this.heads);
        this.context = context;
        this.metrics = metrics;
        this.nowMs = nowMs;
    }

    @Override
    public @Nullable Job job(String id) {
        Job underWay = dispatched.get(id);
        if (underWay != null) {
            return underWay;
        }
        byte[] job = jobs.get(Keys.job(id));
        return job != null ? JobForm.job(job) : submitted(id);
    }

    @Override
    public @Nullable Job submitted(String id) {
        JobForm.Stored stored = stored(id);
        return stored == null ? null : stored.job();
    }

    @Override
    public @Nullable Job known(String id) {
        return newestIds.isNew(id) ? null : submitted(id);
    }

    @Override
    public void putJob(Job job) {
        Submission submission = unwritten;
        unwritten = null;
        if (job.status() == JobStatus.DISPATCHED) {
            dispatched.put(job);
            return;
        }
        long dispatchedIn = dispatched.remove(job.id());
        if (job.status().finished()) {
            putRequest(job.id(), JobForm.end(job));
            // A record of its own is what it has between its first state and its end, unless it was under way just
            // then.
            if (job.revision() > FIRST_REVISION + 1 && dispatchedIn != FIRST_REVISION + 1) {
                jobs.put(Keys.job(job.id()), null);
            }
        } else if (submission != null) {
            if (!submission.spec().id().equals(job.id())) {
                throw new IllegalStateException(
                        "the request of " + submission.spec().id() + " is followed by the state of " + job.id());
            }
            putRequest(job.id(), JobForm.bytes(submission, job, writer));
        } else {
            jobs.put(Keys.job(job.id()), JobForm.bytes(job));
        }
    }

    @Override
    public void deleteJob(String id) {
        putRequest(id, null);
    }

    @Override
    public JobRequest request(String jobId) {
        Submission submission = unwritten;
        if (submission != null && submission.spec().id().equals(jobId)) {
            return submission.request();
        }
        return kept(jobId, JobForm.Stored::request);
    }

    @Override
    public void putRequest(Submission submission) {
        unwritten = submission;
    }

    private <T> T kept(String jobId, Function<JobForm.Stored, @Nullable T> part) {
        JobForm.Stored stored = stored(jobId);
        T kept = stored == null ? null : part.apply(stored);
        if (kept == null) {
            throw new IllegalStateException("job " + jobId + " waits, but what it asks for is not in the store");
        }
        return kept;
    }

    private void putRequest(String id, byte @Nullable [] form) {
        Bytes key = Keys.request(id);
        lastReadId = null;
        jobs.put(key, form);
    }

    /** A job is looked at first, then what it asks for: that is read once. */
    private JobForm.@Nullable Stored stored(String id) {
        if (!id.equals(lastReadId)) {
            byte[] bytes = jobs.get(Keys.request(id));
            lastRead = bytes == null ? null : JobForm.stored(bytes);
            lastReadId = id;
        }
        return lastRead;
    }

    @Override
    public void putPermit(String upstream, long number, long slot, long arrival, int cost) {
        permits.put(upstream, number, new PermitPage.Permit(slot, arrival, cost));
    }

    @Override
    public void addPermit(String upstream, long number, long slot, long arrival, int cost) {
        permits.add(upstream, number, new PermitPage.Permit(slot, arrival, cost));
    }

    /** The permits before it are forgotten by then, so its page goes with the last one on it. */
    @Override
    public void deletePermit(String upstream, long number) {
        if (PageForm.endsPage(number)) {
            permits.removePage(upstream, number);
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
        return entries.get(lane, number);
    }

    @Override
    public List<LaneEntry> laneEntries(LaneKey lane, long number) {
        return entries.from(lane, number);
    }

    @Override
    public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
        entries.put(lane, number, entry);
    }

    @Override
    public LaneEnd laneEnd(LaneKey lane) {
        return entries.end(lane)::add;
    }

    @Override
    public void deleteLaneEntry(LaneKey lane, long number) {
        entries.remove(lane, number);
    }

    /** Nobody reads what stands before a lane's head, so its page goes with the last place on it. */
    @Override
    public void passLaneEntry(LaneKey lane, long number) {
        if (PageForm.endsPage(number)) {
            entries.removePage(lane, number);
        }
    }

    @Override
    public void putLane(LaneState lane) {
        heads.write(Keys.lane(lane.key()), HeadForm.bytes(lane));
    }

    @Override
    public void deleteLane(LaneKey lane, long head) {
        if (!PageForm.endsPage(head - 1)) {
            entries.removePage(lane, head);
        }
        heads.write(Keys.lane(lane), null);
    }

    @Override
    public void putState(UpstreamState state) {
        heads.put(Keys.upstream(state.settings().upstream()), headForm.bytes(state));
    }

    @Override
    public void send(Grant grant) {
        String id = grant.job().id();
        metrics.released(grant.job().upstream());
        JobForm.Asked asked = kept(id, JobForm.Stored::asked);
        forward(id, json.bytes(to -> PermitJson.write(grant, asked, to)), ThrottleTopology.DISPATCH_SINK);
    }

    @Override
    public void send(JobEvent event) {
        if (event.status().finished()) {
            metrics.finished(event.upstream(), event.status());
        }
        forward(event.id(), json.bytes(event), ThrottleTopology.EVENTS_SINK);
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

    /** Writes what was changed and is not written yet: before each commit. */
    void flush() {
        jobs.flush();
        heads.flush();
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
        Bytes from = Keys.permitPage(upstream, PageForm.page(head.first()));
        Bytes to = Keys.permitPage(upstream, PageForm.page(head.next() - 1));
        long number = head.first();
        try (KeyValueIterator<Bytes, byte[]> pages = heads.range(from, to)) {
            while (pages.hasNext()) {
                PermitPage.@Nullable Permit[] page = permitForm.entries(pages.next().value);
                long end = Math.min(head.next(), (PageForm.page(number) + 1) * PageForm.ENTRIES);
                for (; number < end; number++) {
                    PermitPage.Permit permit = page[PageForm.place(number)];
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
