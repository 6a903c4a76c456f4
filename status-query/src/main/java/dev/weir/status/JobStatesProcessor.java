package dev.weir.status;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.Accepted;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
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
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the newest state of each job of one partition: the highest revision wins, whatever the order in which they come.
 * Used by its stream thread alone; what others may ask of it goes through {@link Progress} and the listeners.
 */
final class JobStatesProcessor implements Processor<String, byte[], String, JobEvent> {
    static final Duration CLEAN_EVERY = Duration.ofSeconds(10);
    /** So much older than it says a copy may be at most. */
    static final Duration BEAT_EVERY = Duration.ofSeconds(1);

    static final Duration ALIVE_EVERY = Duration.ofMillis(200);
    /** Finished jobs that one clean-up of one partition forgets; over all partitions far more than any upstream finishes. */
    static final int MOST_FORGOTTEN_AT_ONCE = 2_000;

    private static final Logger LOG = LoggerFactory.getLogger(JobStatesProcessor.class);

    private final Progress progress;
    private final List<StateListener> listeners;
    private final MeterRegistry metrics;
    private final boolean beats;
    private int partition;

    @SuppressWarnings("NullAway.Init")
    private ProcessorContext<String, JobEvent> context;

    @SuppressWarnings("NullAway.Init")
    private KeyValueStore<String, JobEvent> jobs;

    @SuppressWarnings("NullAway.Init")
    private KeyValueStore<Bytes, byte[]> ends;

    @SuppressWarnings("NullAway.Init")
    private KeyValueStore<Bytes, byte[]> listing;

    /** Where the next clean-up begins: a scan from the very start would walk over everything deleted before. */
    private Bytes cleanFrom = Bytes.wrap(new byte[0]);

    /** @param beats whether copies of the store have to know how old they are */
    JobStatesProcessor(Progress progress, List<StateListener> listeners, MeterRegistry metrics, boolean beats) {
        this.beats = beats;
        this.progress = progress;
        this.listeners = List.copyOf(listeners);
        this.metrics = metrics;
    }

    @Override
    public void init(ProcessorContext<String, JobEvent> taskContext) {
        context = taskContext;
        jobs = taskContext.getStateStore(StatusTopology.JOBS);
        ends = taskContext.getStateStore(StatusTopology.ENDS);
        listing = taskContext.getStateStore(StatusTopology.LISTING);
        partition = taskContext.taskId().partition();
        taskContext.schedule(CLEAN_EVERY, PunctuationType.WALL_CLOCK_TIME, this::forgetOldEnds);
        taskContext.schedule(ALIVE_EVERY, PunctuationType.WALL_CLOCK_TIME, now -> progress.alive(partition));
        if (beats) {
            taskContext.schedule(BEAT_EVERY, PunctuationType.WALL_CLOCK_TIME, this::beat);
        }
        progress.started(partition);
    }

    /** Reaches the copies behind every state that was stored before it; while it is behind itself, it says nothing new. */
    private void beat(long now) {
        if (progress.isCaughtUp(partition)) {
            jobs.put(StatusTopology.BEAT, beat(Instant.ofEpochMilli(now)));
        }
    }

    static JobEvent beat(Instant now) {
        return new JobEvent(
                JobEvent.VERSION,
                StatusTopology.BEAT,
                "",
                "",
                JobStatus.ACCEPTED,
                0,
                0,
                Priority.NORMAL,
                null,
                null,
                null,
                now,
                now,
                null,
                null,
                null,
                false,
                "",
                null,
                1,
                null);
    }

    @Override
    public void close() {
        progress.closed(partition);
    }

    @Override
    public void process(Record<String, byte[]> message) {
        RecordMetadata from = context.recordMetadata().orElseThrow();
        try {
            JobEvent event = read(from.topic(), message.key(), message.value());
            apply(event);
            if (from.topic().equals(Topics.JOB_EVENTS)) {
                context.forward(message.withValue(event));
            }
        } catch (SerializationException e) {
            Counter.builder("weir_status_unreadable_total")
                    .tag("topic", from.topic())
                    .register(metrics)
                    .increment();
            LOG.error(
                    "the record at {}-{}@{} (key {}) cannot be read and is passed over, the job keeps the state it had: {}",
                    from.topic(),
                    from.partition(),
                    from.offset(),
                    message.key(),
                    e.getMessage());
        }
        progress.passed(from.topic(), from.partition(), from.offset() + 1);
    }

    private void apply(JobEvent event) {
        JobEvent known = jobs.get(event.id());
        if (known != null && known.revision() > event.revision()) {
            return;
        }
        if (known == null || known.revision() < event.revision()) {
            jobs.put(event.id(), event);
            index(known, event);
            for (StateListener listener : listeners) {
                listener.moved(known, event);
            }
        } else {
            // Read again after a crash, which may have come between the writes to the stores.
            index(known, known);
        }
    }

    private void index(@Nullable JobEvent known, JobEvent event) {
        Bytes key = Listing.key(event);
        if (known != null && !Listing.key(known).equals(key)) {
            listing.delete(Listing.key(known));
        }
        listing.put(key, Listing.value(event));
        if (event.status().finished()) {
            Bytes end = endKey(endOf(event).toEpochMilli(), event.id());
            ends.put(end, key.get());
            if (end.compareTo(cleanFrom) < 0) {
                cleanFrom = end;
            }
        }
    }

    /** @throws SerializationException when it is no state of a job */
    static JobEvent read(String topic, @Nullable String key, byte @Nullable [] value) {
        if (value == null) {
            throw new SerializationException("a tombstone, where only states are expected");
        }
        JobEvent event = topic.equals(Topics.ACCEPTED)
                ? asEvent(Json.read(value, Accepted.class))
                : Json.read(value, JobEvent.class);
        requireField("id", event.id());
        requireField("tenant", event.tenant());
        requireField("upstream", event.upstream());
        requireField("status", event.status());
        requireField("priority", event.priority());
        requireField("acceptedAt", event.acceptedAt());
        requireField("updatedAt", event.updatedAt());
        requireField("bodyHash", event.bodyHash());
        if (!event.id().equals(key)) {
            throw new SerializationException("its key is not the id within, " + event.id());
        }
        return event;
    }

    private static JobEvent asEvent(Accepted accepted) {
        return new JobEvent(
                JobEvent.VERSION,
                accepted.id(),
                accepted.tenant(),
                accepted.upstream(),
                JobStatus.ACCEPTED,
                0,
                0,
                accepted.priority(),
                null,
                null,
                null,
                accepted.acceptedAt(),
                accepted.acceptedAt(),
                accepted.notBefore(),
                null,
                null,
                false,
                accepted.bodyHash(),
                null,
                accepted.cost(),
                null);
    }

    /** JSON knows no {@code @NullMarked}: a field that is never null may be missing all the same. */
    private static void requireField(String name, @Nullable Object value) {
        if (value == null) {
            throw new SerializationException("the field " + name + " is missing");
        }
    }

    private void forgetOldEnds(long now) {
        long before = now - StatusTopology.KEEP_FINISHED.toMillis();
        int left = MOST_FORGOTTEN_AT_ONCE;
        try (KeyValueIterator<Bytes, byte[]> oldest = ends.range(cleanFrom, endKey(before, ""))) {
            while (left > 0 && oldest.hasNext()) {
                KeyValue<Bytes, byte[]> end = oldest.next();
                String id = idOf(end.key);
                JobEvent job = jobs.get(id);
                if (job == null) {
                    // A crash came between the deletions.
                    listing.delete(Bytes.wrap(end.value));
                } else if (job.status().finished()) {
                    jobs.delete(id);
                    listing.delete(Listing.key(job));
                }
                ends.delete(end.key);
                cleanFrom = end.key;
                left--;
            }
        }
    }

    private static Instant endOf(JobEvent event) {
        return event.finishedAt() != null ? event.finishedAt() : event.updatedAt();
    }

    /** Ordered by time: a time before 1970 would not be, and is no time of an end. */
    private static Bytes endKey(long epochMs, String id) {
        byte[] idBytes = id.getBytes(StandardCharsets.UTF_8);
        return Bytes.wrap(ByteBuffer.allocate(Long.BYTES + idBytes.length)
                .putLong(Math.max(0, epochMs))
                .put(idBytes)
                .array());
    }

    private static String idOf(Bytes endKey) {
        byte[] bytes = endKey.get();
        return new String(bytes, Long.BYTES, bytes.length - Long.BYTES, StandardCharsets.UTF_8);
    }
}
