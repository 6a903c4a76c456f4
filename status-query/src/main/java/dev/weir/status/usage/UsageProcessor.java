package dev.weir.status.usage;

import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Counts the events of one partition. It goes by the events alone: the throttle tells each change exactly once, the first one
 * with revision 1. Used by its stream thread alone.
 */
final class UsageProcessor implements Processor<String, JobEvent, Void, Void> {
    @SuppressWarnings("NullAway.Init")
    private ProcessorContext<Void, Void> context;

    private final Map<Grain, WindowStore<String, Aggregate>> stores = new EnumMap<>(Grain.class);

    @Override
    public void init(ProcessorContext<Void, Void> taskContext) {
        context = taskContext;
        for (Grain grain : Grain.values()) {
            stores.put(grain, taskContext.getStateStore(grain.store()));
        }
    }

    @Override
    public void process(Record<String, JobEvent> message) {
        JobEvent event = message.value();
        long offset = context.recordMetadata().orElseThrow().offset();
        if (event.revision() == 1) {
            count(event, event.acceptedAt(), Counts.ACCEPTED, offset, 0);
        }
        if (event.status() == JobStatus.DISPATCHED && event.again() == null && event.dueAt() != null) {
            count(event, event.dueAt(), Counts.released(event), offset, 1);
        } else if (event.status().finished()) {
            Instant end = event.finishedAt() == null ? event.updatedAt() : event.finishedAt();
            count(event, end, Counts.ended(event.status()), offset, 1);
        }
    }

    /** One event counts twice at most, and maybe in the same window: the step tells which. */
    private void count(JobEvent event, Instant at, Counts more, long offset, int step) {
        String key = UsageKey.of(event.tenant(), event.upstream());
        long place = 2 * offset + step;
        for (Map.Entry<Grain, WindowStore<String, Aggregate>> kept : stores.entrySet()) {
            WindowStore<String, Aggregate> store = kept.getValue();
            long start = kept.getKey().start(at.toEpochMilli());
            Aggregate known = store.fetch(key, start);
            if (known == null) {
                store.put(key, new Aggregate(more, place), start);
            } else if (known.offset() < place) {
                store.put(key, new Aggregate(known.counts().plus(more), place), start);
            }
        }
    }
}
