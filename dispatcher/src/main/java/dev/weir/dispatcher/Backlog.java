package dev.weir.dispatcher;

import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How many outcomes wait: from the first that is not written to the broker's end of each partition that this process has.
 * What the consumer itself knows of the end does not move while its partitions are paused, so the broker is asked. The count
 * may be read by any thread, all else is the consumer's.
 */
final class Backlog {
    private static final Duration ASK_EVERY = Duration.ofSeconds(1);
    private static final Duration TIMEOUT = Duration.ofSeconds(2);
    private static final Logger LOG = LoggerFactory.getLogger(Backlog.class);

    /** The first offset that is not written. */
    private final Map<TopicPartition, Long> next = new HashMap<>();

    private Map<TopicPartition, Long> ends = Map.of();
    private long askAtNanos = System.nanoTime();
    private volatile long count;

    long count() {
        return count;
    }

    /** To be told which partitions there are. */
    ConsumerRebalanceListener following(Consumer<?, ?> consumer) {
        next.clear();
        return new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                partitions.forEach(partition -> next.put(partition, consumer.position(partition)));
                askAtNanos = System.nanoTime();
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                next.keySet().removeAll(List.copyOf(partitions));
                askAtNanos = System.nanoTime();
            }
        };
    }

    void written(Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) -> next.computeIfPresent(partition, (p, before) -> offset.offset()));
        add();
    }

    /** The consumer reads again from the first that is not written. */
    void rewind(Consumer<?, ?> consumer) {
        next.forEach(consumer::seek);
    }

    /** Asks the broker, not more often than each second. */
    void measure(Consumer<?, ?> consumer) {
        if (System.nanoTime() - askAtNanos < 0) {
            return;
        }
        askAtNanos = System.nanoTime() + ASK_EVERY.toNanos();
        try {
            ends = consumer.endOffsets(next.keySet(), TIMEOUT);
            add();
        } catch (KafkaException e) {
            LOG.debug("the backlog of results is not known at the moment: {}", e.getMessage());
        }
    }

    private void add() {
        count = next.entrySet().stream()
                .mapToLong(e -> Math.max(0, ends.getOrDefault(e.getKey(), 0L) - e.getValue()))
                .sum();
    }
}
