package dev.weir.status.usage;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.wire.JobStatus;
import dev.weir.status.JobEventBuilder;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** With offsets of its own choice, on real stores: what the topology's test driver cannot do. */
final class UsageProcessorTest {
    private static final Instant T0 = Instant.parse("2026-11-22T10:00:00Z");

    @SuppressWarnings("NullAway.Init")
    private MockProcessorContext<Void, Void> context;

    private final UsageProcessor processor = new UsageProcessor();

    @BeforeEach
    void open(@TempDir Path stateDir) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "test");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "unused:9092");
        context = new MockProcessorContext<>(
                settings, new org.apache.kafka.streams.processor.TaskId(0, 0), stateDir.toFile());
        for (Grain grain : Grain.values()) {
            WindowStore<String, Aggregate> store = Stores.windowStoreBuilder(
                            Stores.persistentWindowStore(grain.store(), grain.kept(), grain.width(), false),
                            Serdes.String(),
                            Aggregate.serde())
                    .withLoggingDisabled()
                    .build();
            store.init(context.getStateStoreContext(), store);
            context.addStateStore(store);
        }
        processor.init(context);
    }

    @AfterEach
    void close() {
        for (Grain grain : Grain.values()) {
            WindowStore<String, Aggregate> store = context.getStateStore(grain.store());
            store.close();
        }
    }

    private void event(long offset, JobStatus status, long revision) {
        context.setRecordMetadata("weir.job-events", 0, offset);
        context.setCurrentSystemTimeMs(T0.toEpochMilli());
        processor.process(new Record<>(
                "job",
                new JobEventBuilder("job", status, revision)
                        .tenant("acme")
                        .updatedAt(T0)
                        .dueAt(T0)
                        .cost(5)
                        .build(),
                T0.toEpochMilli()));
    }

    @Test
    void shouldCountNothingTwice_whenEventsAreReadAgainAfterACrash() {
        Runnable all = () -> {
            event(3, JobStatus.DEAD, 1);
            event(4, JobStatus.QUEUED, 1);
            event(6, JobStatus.DISPATCHED, 2);
            event(9, JobStatus.SUCCEEDED, 3);
        };
        Counts once = new Counts(2, 1, 5, 1, 1, 0, 0);

        all.run();
        List<Counts> first = counts();
        all.run();

        assertThat(first).containsExactly(once, once);
        assertThat(counts()).isEqualTo(first);
        event(10, JobStatus.CANCELLED, 4);
        assertThat(counts().get(0).cancelled()).isEqualTo(1);
    }

    private List<Counts> counts() {
        return List.of(Grain.values()).stream()
                .map(grain -> {
                    WindowStore<String, Aggregate> store = context.getStateStore(grain.store());
                    Aggregate found = store.fetch(UsageKey.of("acme", "gemini"), T0.toEpochMilli());
                    return found == null ? Counts.NONE : found.counts();
                })
                .toList();
    }
}
