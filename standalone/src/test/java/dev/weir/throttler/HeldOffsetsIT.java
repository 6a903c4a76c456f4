package dev.weir.throttler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.standalone.EmbeddedKafka;
import java.nio.file.Path;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HeldOffsetsIT {
    private static final String GROUP = "it";

    @Test
    void shouldBeThePartitionsOfATransactionThatHasNotEnded(@TempDir Path dir) throws Exception {
        try (EmbeddedKafka broker = new EmbeddedKafka(dir.resolve("kafka"), 0)) {
            KafkaSettings kafka =
                    new KafkaSettings(broker.bootstrapServers(), "it", dir, (short) 1, KafkaSettings.SESSION_TIMEOUT);
            try (Admin admin = Admin.create(kafka.common())) {
                Topics.ensure(admin, (short) 1);
            }
            Map<String, Object> settings = kafka.producer();
            settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "it");
            Map<String, Object> reading = kafka.common();
            reading.put(ConsumerConfig.GROUP_ID_CONFIG, GROUP);
            try (KafkaConsumer<byte[], byte[]> consumer =
                            new KafkaConsumer<>(reading, new ByteArrayDeserializer(), new ByteArrayDeserializer());
                    KafkaProducer<byte[], byte[]> producer =
                            new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
                producer.initTransactions();
                producer.beginTransaction();
                producer.sendOffsetsToTransaction(
                        Map.of(
                                new TopicPartition(Topics.REQUESTS, 3),
                                new OffsetAndMetadata(1),
                                new TopicPartition(Topics.REQUESTS, 4),
                                new OffsetAndMetadata(1)),
                        consumer.groupMetadata());
                producer.commitTransaction();
                assertThat(HeldOffsets.of(GROUP, kafka)).isEmpty();

                producer.beginTransaction();
                producer.sendOffsetsToTransaction(
                        Map.of(new TopicPartition(Topics.REQUESTS, 3), new OffsetAndMetadata(2)),
                        consumer.groupMetadata());
                producer.flush();

                assertThat(HeldOffsets.of(GROUP, kafka)).containsExactly("weir.requests-3");
            }
        }
    }
}
