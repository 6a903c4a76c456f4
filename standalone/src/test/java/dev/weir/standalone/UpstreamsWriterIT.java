package dev.weir.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.UpstreamsWriter;
import dev.weir.contracts.wire.UpstreamRecord;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.SortedMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UpstreamsWriterIT {
    private static final int WRITERS = 3;
    private static final int CHANGES = 4;
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final UpstreamSettings SETTINGS = UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)));

    @Test
    void shouldLoseNoChange_whenSeveralProcessesWriteAtTheSameInstant(@TempDir Path dir) throws Exception {
        try (EmbeddedKafka broker = new EmbeddedKafka(dir.resolve("kafka"), 0)) {
            EmbeddedKafkaIT.prepare(broker);
            KafkaSettings kafka = EmbeddedKafkaIT.settings(broker);
            Queue<String> refused = new ConcurrentLinkedQueue<>();
            ExecutorService processes = Executors.newFixedThreadPool(WRITERS);
            try {
                CyclicBarrier atOnce = new CyclicBarrier(WRITERS);
                List<Future<?>> writing = new ArrayList<>();
                for (int i = 0; i < WRITERS; i++) {
                    UpstreamsWriter writer = new UpstreamsWriter(kafka);
                    writing.add(processes.submit(() -> {
                        for (int change = 0; change < CHANGES; change++) {
                            atOnce.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                            try {
                                assertThat(writer.write(UpstreamsWriterIT::next))
                                        .containsOnlyKeys("api");
                            } catch (UpstreamsWriter.NotWrittenException e) {
                                // Told below: the others would wait for this one at the barrier and say nothing.
                                refused.add(e.getMessage());
                            }
                        }
                        return null;
                    }));
                }
                for (Future<?> each : writing) {
                    each.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
                }
            } finally {
                processes.shutdownNow();
            }

            assertThat(refused).isEmpty();
            try (CompactedTopic<UpstreamRecord> topic = CompactedTopic.upstreams(kafka)) {
                topic.start();
                assertThat(topic.awaitRead(PATIENCE)).isTrue();
                assertThat(topic.of("api")).extracting(UpstreamRecord::revision).isEqualTo((long) WRITERS * CHANGES);
            }
        }
    }

    private static Map<String, @Nullable UpstreamRecord> next(SortedMap<String, UpstreamRecord> records) {
        UpstreamRecord current = records.get("api");
        return Map.of(
                "api",
                new UpstreamRecord(
                        UpstreamRecord.VERSION,
                        "api",
                        current == null ? 1 : current.revision() + 1,
                        Instant.EPOCH,
                        SETTINGS,
                        false,
                        false,
                        SETTINGS));
    }
}
