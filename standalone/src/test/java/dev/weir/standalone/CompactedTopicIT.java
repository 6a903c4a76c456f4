package dev.weir.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The reader of compacted topics, against a real broker. */
class CompactedTopicIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void shouldKnowTheNewestOfEachKey_onceItHasReadToTheEnd(@TempDir Path dir) throws Exception {
        try (EmbeddedKafka kafka = new EmbeddedKafka(dir.resolve("kafka"), 0)) {
            KafkaSettings settings =
                    new KafkaSettings(kafka.bootstrapServers(), "it", dir, (short) 1, KafkaSettings.SESSION_TIMEOUT);
            try (Admin admin = Admin.create(settings.common());
                    KafkaProducer<String, byte[]> producer = new KafkaProducer<>(
                            settings.producer(), new StringSerializer(), new ByteArraySerializer())) {
                Topics.ensure(admin, (short) 1);
                for (int i = 0; i < 100; i++) {
                    write(producer, "key-" + i, "old");
                    write(producer, "key-" + i, i % 2 == 0 ? "new" : null);
                }
                write(producer, "key-0", "garbage");

                try (CompactedTopic<String> topic = new CompactedTopic<>(settings, Topics.UPSTREAMS, this::read)) {
                    assertThat(topic.notReady()).contains("weir.upstreams");
                    topic.start();
                    assertThat(topic.awaitRead(PATIENCE)).isTrue();

                    assertThat(topic.notReady()).isNull();
                    assertThat(topic.all())
                            .hasSize(50)
                            .allSatisfy((key, value) -> assertThat(value).isEqualTo("new"));
                    write(producer, "key-1", "again");
                    await().atMost(PATIENCE).until(() -> "again".equals(topic.of("key-1")));
                }
            }
        }
    }

    private String read(String key, byte[] value) {
        String text = new String(value, StandardCharsets.UTF_8);
        if (text.equals("garbage")) {
            throw new SerializationException("garbage");
        }
        return text;
    }

    private static void write(KafkaProducer<String, byte[]> producer, String key, @Nullable String value)
            throws Exception {
        byte[] bytes = value == null ? null : value.getBytes(StandardCharsets.UTF_8);
        producer.send(new ProducerRecord<>(Topics.UPSTREAMS, key, bytes)).get();
    }
}
