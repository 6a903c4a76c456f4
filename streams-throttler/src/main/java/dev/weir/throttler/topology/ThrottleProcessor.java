package dev.weir.throttler.topology;

import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.UpstreamRecord;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Submission;
import dev.weir.throttler.upstream.Throttle;
import dev.weir.throttler.upstream.Timer;
import dev.weir.throttler.upstream.UpstreamState;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueStore;
import org.jspecify.annotations.NullUnmarked;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one processor: reads the stores, calls the decisions, writes, forwards. It holds the throttles of the upstreams whose
 * keys fall into its partition; whatever they decide while a record or a tick is handled is committed together.
 */
final class ThrottleProcessor implements Processor<String, byte[], String, byte[]> {
    static final int TURNS_PER_STEP = 64;
    static final int TIMERS_PER_TICK = 500;
    static final Duration FORECAST_EVERY = Duration.ofSeconds(1);
    static final int MOST_NAME_CHARS = 255;
    private static final Duration WORTH_SAYING = Duration.ofSeconds(1);
    /** An upstream at rest is told of less often. */
    static final Duration FORECAST_AT_REST = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(ThrottleProcessor.class);

    private final Seeds seeds;
    private final InstantSource clock;
    private final BooleanSupplier mayRelease;
    private final ThrottleMetrics metrics;
    private final int partitions;
    private final Set<TaskId> tasksBehind;

    private int partition;
    private long floor = Long.MIN_VALUE;
    private final Map<String, Entry> throttles = new HashMap<>();
    /** The same, in the order in which they have their turn at a tick. */
    private final Set<Entry> turns = new LinkedHashSet<>();

    private @Nullable Ticking ticking;
    private @Nullable StoreJournal journal;
    private @Nullable ProcessorContext<String, byte[]> context;

    /** A throttle, and when it was told of last. */
    private static final class Entry {
        final Throttle throttle;
        Instant forecastAt = Instant.EPOCH;
        boolean active = true;

        Entry(Throttle throttle) {
            this.throttle = throttle;
        }
    }

    ThrottleProcessor(
            Seeds seeds,
            InstantSource clock,
            BooleanSupplier mayRelease,
            ThrottleMetrics metrics,
            int partitions,
            Set<TaskId> tasksBehind) {
        this.partitions = partitions;
        this.tasksBehind = tasksBehind;
        this.seeds = seeds;
        this.clock = clock;
        this.mayRelease = mayRelease;
        this.metrics = metrics;
    }

    @Override
    @NullUnmarked
    public void init(ProcessorContext<String, byte[]> processorContext) {
        context = processorContext;
        KeyValueStore<Bytes, byte[]> jobs = processorContext.getStateStore(ThrottleTopology.JOBS_STORE);
        KeyValueStore<Bytes, byte[]> heads = processorContext.getStateStore(ThrottleTopology.HEADS_STORE);
        journal = new StoreJournal(jobs, heads, processorContext, metrics, clock::millis);
        processorContext.<BeforeCommit>getStateStore(BeforeCommit.NAME).run(this::flush);
        throttles.clear();
        turns.clear();
        partition = processorContext.taskId().partition();
        floor = EpochNanos.of(journal.lowWater());
        long behind = floor - EpochNanos.of(clock.instant());
        if (behind > WORTH_SAYING.toNanos()) {
            LOG.warn(
                    "the clock is {} behind the time that was reached before the restart; nothing of partition {} is released"
                            + " until it has caught up",
                    Duration.ofNanos(behind),
                    partition);
        }
        ticking = new Ticking(processorContext, tasksBehind, this::tick);
        restore(journal);
        for (String name : seeds.upstreams().keySet()) {
            if (isHere(name)) {
                // Known from the start, so that its first job has an ETA.
                entryFor(name);
            }
        }
    }

    @Override
    public void close() {
        if (ticking != null) {
            ticking.stop();
        }
    }

    @Override
    public void process(Record<String, byte[]> record) {
        ticking().input();
        RecordMetadata source = context().recordMetadata().orElse(null);
        String reason;
        try {
            reason = switch (source == null ? "" : source.topic()) {
                case Topics.OUTCOMES -> outcome(Json.read(value(record), Outcome.class));
                case Topics.UPSTREAMS -> upstream(record.key(), record.value());
                default ->
                    record.headers().lastHeader(CancelRequest.TYPE_HEADER) == null
                            ? submit(value(record))
                            : cancel(Json.read(value(record), CancelRequest.class));
            };
        } catch (SerializationException e) {
            reason = String.valueOf(e.getMessage());
        }
        if (reason != null) {
            poison(record, source, reason);
        }
    }

    private static byte[] value(Record<String, byte[]> record) {
        byte[] value = record.value();
        if (value == null) {
            throw new SerializationException("the record has no value");
        }
        return value;
    }

    /** Why the record cannot be used; null when it was. So for the others. */
    private @Nullable String submit(byte[] value) {
        if (value.length > Topics.MAX_JOB_BYTES) {
            return "it has " + value.length + " bytes, and a job of more than " + Topics.MAX_JOB_BYTES
                    + " does not fit into the records that follow from it";
        }
        Submission submission = RawSubmission.read(value);
        Job.Spec spec = submission.spec();
        String wrong = misplaced(spec.upstream());
        wrong = wrong == null ? misnamed("id", spec.id()) : wrong;
        wrong = wrong == null ? misnamed("tenant", spec.tenant()) : wrong;
        if (wrong != null) {
            return wrong;
        }
        Entry entry = entryFor(spec.upstream());
        if (entry == null) {
            refuse(submission.request(), "the upstream " + spec.upstream() + " is not configured here and never was");
        } else {
            entry.throttle.submit(submission, now());
            entry.active = true;
        }
        return null;
    }

    private @Nullable String cancel(CancelRequest request) {
        Entry entry = throttles.get(request.upstream());
        if (entry == null) {
            return "it cancels a job of the upstream " + request.upstream() + ", which is not known";
        }
        entry.throttle.cancel(request, now());
        entry.active = true;
        return null;
    }

    private @Nullable String outcome(Outcome outcome) {
        Entry entry = throttles.get(outcome.upstream());
        if (entry == null) {
            return "it is an outcome for the upstream " + outcome.upstream() + ", which is not known";
        }
        entry.throttle.outcome(outcome, now());
        entry.active = true;
        return null;
    }

    private @Nullable String upstream(String name, byte @Nullable [] value) {
        Entry entry = throttles.get(name);
        if (value == null) {
            if (entry != null) {
                entry.throttle.remove();
                entry.active = true;
                sayRemoved(name, entry.throttle);
            }
            return null;
        }
        UpstreamRecord record = Json.read(value, UpstreamRecord.class);
        String wrong = misplaced(record.name());
        if (wrong != null || !record.name().equals(name)) {
            return wrong != null ? wrong : "its key is " + name + ", but it is of " + record.name();
        }
        Settings settings = Settings.of(name, record.settings());
        if (entry == null) {
            entry = add(name, build(settings, null, List.of(), journal()));
        }
        Control control = new Control(record.paused() ? Control.Mode.PAUSED : Control.Mode.RUNNING, record.revision());
        if (!settings.equals(entry.throttle.settings()) || !control.equals(entry.throttle.control())) {
            LOG.info("the settings of {}, revision {}: {}, {}", name, record.revision(), control.mode(), settings);
        }
        entry.throttle.configure(settings, control, record.assumeUnused(), now());
        entry.active = true;
        entry.forecastAt = Instant.EPOCH;
        return null;
    }

    /** Before each commit: what was decided since the last one is written. */
    private void flush() {
        turns.forEach(entry -> entry.throttle.save());
        journal().flush();
    }

    /** One upstream is one partition: a second permit log for it would spend its quota twice. */
    private @Nullable String misplaced(String upstream) {
        return isHere(upstream) ? null : "it belongs to the upstream " + upstream + ", whose partition is another one";
    }

    /** Names are parts of stored keys. */
    private static @Nullable String misnamed(String field, String name) {
        return name.isEmpty() || name.length() > MOST_NAME_CHARS || name.indexOf('\0') >= 0
                ? "expected a " + field + " of 1 to " + MOST_NAME_CHARS + " characters without NUL"
                : null;
    }

    private static void sayRemoved(String name, Throttle throttle) {
        LOG.warn(
                "the upstream {} is no longer configured: its {} waiting jobs are kept and not called; add it again to go on",
                name,
                throttle.waiting() + throttle.scheduled() + throttle.retrying());
    }

    /** Whether there is more to do than it had time for. */
    private boolean tick() {
        if (!mayRelease.getAsBoolean()) {
            return false;
        }
        long deadline = System.nanoTime() + Ticking.BUDGET.toNanos();
        long now = now();
        throttles.values().forEach(entry -> entry.throttle.awake(now));
        List<Timer> due = journal().takeDue(EpochNanos.toInstant(now), TIMERS_PER_TICK);
        for (Timer timer : due) {
            Entry entry = throttles.get(timer.upstream());
            if (entry != null) {
                entry.throttle.timer(timer, now);
                entry.active = true;
            }
        }
        // Turn by turn, so that no upstream waits for another's backlog. Whoever the budget cut off comes first at the
        // next tick; a step is short enough for the budget.
        Deque<Entry> more = new ArrayDeque<>(turns);
        while (!more.isEmpty() && System.nanoTime() - deadline < 0) {
            Entry entry = more.poll();
            turns.remove(entry);
            turns.add(entry);
            if (entry.throttle.tick(now, TURNS_PER_STEP)) {
                more.add(entry);
            }
        }
        Instant at = EpochNanos.toInstant(now);
        for (Entry entry : turns) {
            if (forecastIsDue(entry, at)) {
                forecast(entry, at, now);
                if (System.nanoTime() - deadline > 0) {
                    break;
                }
            }
        }
        return !more.isEmpty() || due.size() == TIMERS_PER_TICK;
    }

    private static boolean forecastIsDue(Entry entry, Instant at) {
        boolean busy = entry.active || entry.throttle.waiting() > 0 || entry.throttle.inFlight() > 0;
        Duration every = busy ? FORECAST_EVERY : FORECAST_AT_REST;
        return Duration.between(entry.forecastAt, at).compareTo(every) >= 0;
    }

    private void forecast(Entry entry, Instant at, long now) {
        Forecast forecast = entry.throttle.forecast(now);
        metrics.forecast(forecast);
        journal().forward(forecast.upstream(), forecast, ThrottleTopology.FORECASTS_SINK);
        entry.forecastAt = at;
        entry.active = false;
    }

    /** An accepted job that nobody here can call still gets its end. */
    private void refuse(JobRequest request, String reason) {
        LOG.error("job {} is dead: {}; it is kept in {}", request.id(), reason, Topics.DEAD_LETTERS);
        Instant at = EpochNanos.toInstant(now());
        journal().send(Refused.letter(request, reason, at));
        journal().send(Refused.end(request, reason, at));
    }

    private void poison(Record<String, byte[]> record, @Nullable RecordMetadata source, String reason) {
        DeadLetter letter = Refused.letter(record, source, reason, clock.instant());
        LOG.error(
                "the record at {}-{}@{} cannot be used: {}; it is kept in {} and the task goes on",
                letter.sourceTopic(),
                letter.sourcePartition(),
                letter.sourceOffset(),
                reason,
                Topics.DEAD_LETTERS);
        metrics.poisoned(source == null ? "" : source.topic());
        journal().send(letter);
    }

    /** Puts the throttles back as they were at the last commit. */
    private void restore(StoreJournal from) {
        Map<String, UpstreamState> states = new HashMap<>();
        from.states().forEach(s -> states.put(s.settings().upstream(), s));
        Map<String, List<LaneState>> lanes = new HashMap<>();
        from.lanes()
                .forEach(l -> lanes.computeIfAbsent(l.key().upstream(), u -> new ArrayList<>())
                        .add(l));
        states.forEach((name, state) -> {
            Throttle throttle = build(state.settings(), state, lanes.getOrDefault(name, List.of()), from);
            add(name, throttle);
            if (state.control().mode() == Control.Mode.REMOVED) {
                sayRemoved(name, throttle);
            }
        });
    }

    private @Nullable Entry entryFor(String upstream) {
        Entry entry = throttles.get(upstream);
        UpstreamSettings seed = seeds.upstreams().get(upstream);
        return entry == null && seed != null
                ? add(upstream, build(Settings.of(upstream, seed), null, List.of(), journal()))
                : entry;
    }

    private Entry add(String upstream, Throttle throttle) {
        Entry entry = new Entry(throttle);
        throttles.put(upstream, entry);
        turns.add(entry);
        ticking().start();
        return entry;
    }

    private Throttle build(
            Settings settings, @Nullable UpstreamState state, List<LaneState> laneStates, StoreJournal from) {
        PermitLog log = new PermitLog(settings.windows(), settings.burst());
        if (state != null) {
            from.restore(settings.upstream(), state.log(), log);
        }
        Lanes lanes = new Lanes(from, settings.weights(), seeds.tenantWeights());
        laneStates.forEach(lanes::restore);
        return new Throttle(settings, state, log, lanes, from);
    }

    /** Never below what was reached before: timers below the low-water mark would never be read. */
    private long now() {
        floor = Math.max(floor, EpochNanos.of(clock.instant()));
        return floor;
    }

    private boolean isHere(String upstream) {
        return Topics.partitionOf(upstream, partitions) == partition;
    }

    private StoreJournal journal() {
        return initialised(journal);
    }

    private ProcessorContext<String, byte[]> context() {
        return initialised(context);
    }

    private Ticking ticking() {
        return initialised(ticking);
    }

    private static <T> T initialised(@Nullable T field) {
        if (field == null) {
            throw new IllegalStateException("the processor was not initialised");
        }
        return field;
    }
}
