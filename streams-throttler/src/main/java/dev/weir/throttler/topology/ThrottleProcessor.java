package dev.weir.throttler.topology;

import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Throttle;
import dev.weir.throttler.upstream.Timer;
import dev.weir.throttler.upstream.UpstreamState;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.apache.kafka.streams.state.KeyValueIterator;
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
    static final Duration TICK = Duration.ofMillis(50);
    /** A tick never holds up the poll for longer; what is left is done at the next one. */
    static final Duration TICK_BUDGET = Duration.ofMillis(30);

    static final int PERMITS_PER_STEP = 64;
    static final int TIMERS_PER_TICK = 500;
    static final Duration FORECAST_EVERY = Duration.ofSeconds(1);
    private static final Duration WORTH_SAYING = Duration.ofSeconds(1);
    /** An upstream at rest is told of less often. */
    static final Duration FORECAST_AT_REST = Duration.ofSeconds(10);

    private static final Logger LOG = LoggerFactory.getLogger(ThrottleProcessor.class);

    private final Map<String, UpstreamConfig> upstreams;
    private final InstantSource clock;
    private final BooleanSupplier mayRelease;
    private final ThrottleMetrics metrics;
    private final int partitions;

    private int partition;
    private long floor = Long.MIN_VALUE;
    private final Map<String, Entry> throttles = new HashMap<>();
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
            Map<String, UpstreamConfig> upstreams,
            InstantSource clock,
            BooleanSupplier mayRelease,
            ThrottleMetrics metrics,
            int partitions) {
        this.partitions = partitions;
        this.upstreams = upstreams;
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
        throttles.clear();
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
        restore(journal);
        for (String name : upstreams.keySet()) {
            if (isHere(name)) {
                // Known from the start, so that its first job has an ETA.
                entryFor(name);
            }
        }
        processorContext.schedule(TICK, PunctuationType.WALL_CLOCK_TIME, ms -> tick());
    }

    @Override
    public void process(Record<String, byte[]> record) {
        RecordMetadata source = context().recordMetadata().orElse(null);
        String topic = source == null ? "" : source.topic();
        byte[] value = record.value();
        boolean isOutcome = topic.equals(Topics.OUTCOMES);
        Object read;
        try {
            if (value == null) {
                throw new SerializationException("the record has no value");
            }
            read = isOutcome ? Json.read(value, Outcome.class) : Json.read(value, JobRequest.class);
        } catch (SerializationException e) {
            poison(record, source, String.valueOf(e.getMessage()));
            return;
        }
        String upstream = read instanceof JobRequest job ? job.upstream() : ((Outcome) read).upstream();
        if (!isHere(upstream)) {
            poison(record, source, "it belongs to the upstream " + upstream + ", whose partition is another one");
        } else if (read instanceof JobRequest job) {
            submit(job);
        } else {
            outcome((Outcome) read, record, source);
        }
    }

    private void submit(JobRequest request) {
        Entry entry = entryFor(request.upstream());
        if (entry == null) {
            refuse(request, "the upstream " + request.upstream() + " is not configured here and never was");
            return;
        }
        entry.throttle.submit(request, now());
        entry.throttle.save();
        entry.active = true;
    }

    private void outcome(Outcome outcome, Record<String, byte[]> record, @Nullable RecordMetadata source) {
        Entry entry = throttles.get(outcome.upstream());
        if (entry == null) {
            poison(record, source, "an outcome for the upstream " + outcome.upstream() + ", which is not known");
            return;
        }
        entry.throttle.outcome(outcome, now());
        entry.throttle.save();
        entry.active = true;
    }

    private void tick() {
        if (!mayRelease.getAsBoolean() || throttles.isEmpty()) {
            return;
        }
        long deadline = System.nanoTime() + TICK_BUDGET.toNanos();
        long now = now();
        throttles.values().forEach(entry -> entry.throttle.awake(now));
        for (Timer timer : journal().takeDue(EpochNanos.toInstant(now), TIMERS_PER_TICK)) {
            Entry entry = throttles.get(timer.upstream());
            if (entry != null) {
                entry.throttle.timer(timer, now);
                entry.active = true;
            }
        }
        List<Throttle> more = new ArrayList<>();
        throttles.values().forEach(e -> more.add(e.throttle));
        // Round after round, so that no upstream waits for another's backlog; a step is short enough for the budget.
        while (!more.isEmpty()) {
            more.removeIf(throttle -> throttle.tick(now, PERMITS_PER_STEP) < PERMITS_PER_STEP);
            if (System.nanoTime() - deadline > 0) {
                break;
            }
        }
        Instant at = EpochNanos.toInstant(now);
        for (Entry entry : throttles.values()) {
            entry.throttle.save();
            forecast(entry, at, now);
        }
    }

    private void forecast(Entry entry, Instant at, long now) {
        boolean busy = entry.active || entry.throttle.waiting() > 0 || entry.throttle.inFlight() > 0;
        Duration every = busy ? FORECAST_EVERY : FORECAST_AT_REST;
        if (Duration.between(entry.forecastAt, at).compareTo(every) < 0) {
            return;
        }
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
        journal()
                .send(new DeadLetter(
                        DeadLetter.VERSION, request.id(), reason, 0, at, request, null, null, null, null, null));
        journal()
                .send(new JobEvent(
                        JobEvent.VERSION,
                        request.id(),
                        request.tenant(),
                        request.upstream(),
                        JobStatus.DEAD,
                        1,
                        0,
                        request.priority(),
                        null,
                        request.acceptedAt(),
                        at,
                        null,
                        at,
                        reason,
                        false,
                        request.bodyHash()));
    }

    private void poison(Record<String, byte[]> record, @Nullable RecordMetadata source, String reason) {
        String topic = source == null ? "" : source.topic();
        Integer partition = source == null ? null : source.partition();
        Long offset = source == null ? null : source.offset();
        LOG.error(
                "the record at {}-{}@{} cannot be used: {}; it is kept in {} and the task goes on",
                topic,
                partition,
                offset,
                reason,
                Topics.DEAD_LETTERS);
        metrics.poisoned(topic);
        byte[] value = record.value();
        String kept = null;
        if (value != null) {
            byte[] cut = value.length > DeadLetter.MAX_SOURCE_BYTES
                    ? java.util.Arrays.copyOf(value, DeadLetter.MAX_SOURCE_BYTES)
                    : value;
            kept = Base64.getEncoder().encodeToString(cut);
        }
        journal()
                .send(new DeadLetter(
                        DeadLetter.VERSION,
                        null,
                        reason,
                        0,
                        clock.instant(),
                        null,
                        null,
                        topic,
                        partition,
                        offset,
                        kept));
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
            UpstreamConfig config = upstreams.get(name);
            if (config == null) {
                LOG.warn(
                        "the upstream {} is no longer configured: its {} waiting jobs are kept and not called; add it again to go on",
                        name,
                        lanes.getOrDefault(name, List.of()).stream()
                                .mapToLong(LaneState::jobs)
                                .sum());
            }
            throttles.put(
                    name,
                    new Entry(build(
                            config == null ? state.settings() : Settings.of(config),
                            config != null,
                            state,
                            lanes.getOrDefault(name, List.of()),
                            from)));
        });
    }

    private @Nullable Entry entryFor(String upstream) {
        Entry entry = throttles.get(upstream);
        if (entry == null) {
            UpstreamConfig config = upstreams.get(upstream);
            if (config == null) {
                return null;
            }
            entry = new Entry(build(Settings.of(config), true, null, List.of(), journal()));
            throttles.put(upstream, entry);
        }
        return entry;
    }

    private static Throttle build(
            Settings settings,
            boolean configured,
            @Nullable UpstreamState state,
            List<LaneState> laneStates,
            StoreJournal from) {
        PermitLog log = new PermitLog(settings.windows(), settings.burst());
        if (state != null) {
            try (KeyValueIterator<Bytes, byte[]> permits = from.permits(
                    settings.upstream(), state.log().first(), state.log().next())) {
                long number = state.log().first();
                while (permits.hasNext()) {
                    KeyValue<Bytes, byte[]> entry = permits.next();
                    PermitRecord permit = PermitRecord.read(entry.value);
                    log.restore(number++, permit.slot(), permit.arrival(), permit.cost());
                }
            }
        }
        Lanes lanes = new Lanes(from, ThrottleProcessor::weight);
        laneStates.forEach(lanes::restore);
        return new Throttle(settings, configured, state, log, lanes, from);
    }

    private static double weight(LaneKey lane) {
        return lane.priority().weight();
    }

    /** Never below what was reached before: timers below the low-water mark would never be read. */
    private long now() {
        floor = Math.max(floor, EpochNanos.of(clock.instant()));
        return floor;
    }

    /** One upstream is one partition: a second permit log for it would spend its quota twice. */
    private boolean isHere(String upstream) {
        return BuiltInPartitioner.partitionForKey(upstream.getBytes(StandardCharsets.UTF_8), partitions) == partition;
    }

    private StoreJournal journal() {
        StoreJournal open = journal;
        if (open == null) {
            throw new IllegalStateException("the processor was not initialised");
        }
        return open;
    }

    private ProcessorContext<String, byte[]> context() {
        ProcessorContext<String, byte[]> open = context;
        if (open == null) {
            throw new IllegalStateException("the processor was not initialised");
        }
        return open;
    }
}
