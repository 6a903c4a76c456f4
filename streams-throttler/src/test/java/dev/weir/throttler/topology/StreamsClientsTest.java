package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class StreamsClientsTest {
    private static final Duration LONG = Duration.ofDays(1);
    private static final Duration SHORT = Duration.ofMillis(100);

    @Test
    @Timeout(60)
    void shouldWaitForRecordsOnlyWhileThereIsNothingElseToDo() {
        AtomicBoolean otherWork = new AtomicBoolean();
        // Nobody listens there, so no record ever comes.
        Map<String, Object> config = Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, "127.0.0.1:1");
        try (Consumer<byte[], byte[]> consumer = new StreamsClients(otherWork::get).getConsumer(config)) {
            consumer.assign(List.of(new TopicPartition("requests", 0)));
            long started = System.nanoTime();
            assertThat(consumer.poll(SHORT)).isEmpty();
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isGreaterThanOrEqualTo(SHORT);
            otherWork.set(true);
            assertThat(consumer.poll(LONG)).isEmpty();
        }
    }
}
