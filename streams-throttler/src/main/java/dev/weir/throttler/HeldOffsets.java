package dev.weir.throttler;

import dev.weir.contracts.kafka.KafkaSettings;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;

/**
 * Offsets that nobody may read because the transaction that wrote them has not ended. Kafka 4.3's brokers lose a transaction's
 * end when a partition has no leader just then (<a href="https://issues.apache.org/jira/browse/KAFKA-20734">KAFKA-20734</a>);
 * the group then waits for its offsets until somebody ends the transaction by hand.
 */
final class HeldOffsets {
    /** For each of the two questions. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private HeldOffsets() {}

    /**
     * Asks the group's coordinator; blocks for at most twice {@link #PATIENCE}.
     *
     * @return the partitions, as {@code topic-partition}; empty when there are none
     * @throws ExecutionException when Kafka does not tell
     */
    static Set<String> of(String group, KafkaSettings kafka) throws ExecutionException, InterruptedException {
        try (Admin admin = Admin.create(kafka.common())) {
            Set<String> held = new TreeSet<>(partitions(admin, group, false));
            held.removeAll(partitions(admin, group, true));
            return held;
        }
    }

    private static Set<String> partitions(Admin admin, String group, boolean stable)
            throws ExecutionException, InterruptedException {
        ListConsumerGroupOffsetsOptions options = new ListConsumerGroupOffsetsOptions()
                .requireStable(stable)
                // Not the future's own: closing would wait for the question all the same.
                .timeoutMs((int) PATIENCE.toMillis());
        return admin.listConsumerGroupOffsets(group, options).partitionsToOffsetAndMetadata().get().keySet().stream()
                .map(Object::toString)
                .collect(Collectors.toSet());
    }
}
