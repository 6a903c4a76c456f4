package dev.weir.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedKafkaIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int KILLS = Integer.getInteger("weir.kills", 3);

    @TempDir
    Path dir;

    @Test
    void shouldKeepRecordsAndTopics_whenStartedAgain() throws Exception {
        try (EmbeddedKafka kafka = new EmbeddedKafka(dir.resolve("kafka"), 0)) {
            prepare(kafka);
            send(kafka, "first");
        }

        List<String> values;
        try (EmbeddedKafka kafka = new EmbeddedKafka(dir.resolve("kafka"), 0)) {
            prepare(kafka);
            values = read(kafka, 1);
        }

        assertThat(values).containsExactly("first");
    }

    @Test
    void shouldKeepAcknowledgedRecords_whenTheProcessIsKilled() throws Exception {
        Path data = dir.resolve("kafka");
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        KafkaProcess.class.getName(),
                        data.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        try (var out = process.inputReader(StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).isEqualTo("sent");
        } finally {
            process.destroyForcibly().waitFor();
        }

        List<String> values;
        long startedNs = System.nanoTime();
        try (EmbeddedKafka kafka = new EmbeddedKafka(data, 0)) {
            send(kafka, "after");
            assertThat(Duration.ofNanos(System.nanoTime() - startedNs)).isLessThan(PATIENCE);
            values = read(kafka, 2);
        }

        assertThat(values).containsExactly("before", "after");
    }

    /** A transaction that was decided, but whose partitions had not all heard of it, would hide all that follows from readers. */
    @Test
    void shouldEndEveryTransaction_whenTheProcessIsKilledWhileTheyEnd() throws Exception {
        try (KafkaAtPort broker = new KafkaAtPort(dir.resolve("kafka"))) {
            KafkaSettings kafka = settings(broker.bootstrapServers());
            try (Admin admin = Admin.create(kafka.common())) {
                Topics.ensure(admin, (short) 1);
                List<TopicPartition> partitions = IntStream.range(0, Topics.JOB_PARTITIONS)
                        .mapToObj(partition -> new TopicPartition(Topics.JOB_EVENTS, partition))
                        .toList();
                for (int kill = 1; kill <= KILLS; kill++) {
                    AtomicBoolean killed = new AtomicBoolean();
                    CompletableFuture<Void> committing = commit(kafka, partitions, killed);
                    broker.kill();
                    killed.set(true);
                    broker.start();
                    committing.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);

                    Awaitility.await("after kill " + kill)
                            .atMost(PATIENCE)
                            .untilAsserted(() -> assertThat(ends(admin, partitions, IsolationLevel.READ_COMMITTED))
                                    .isEqualTo(ends(admin, partitions, IsolationLevel.READ_UNCOMMITTED)));
                }
            }
        }
    }

    /** One transaction after the other, each in all partitions, until the broker is killed; returns once one was committed. */
    private static CompletableFuture<Void> commit(
            KafkaSettings kafka, List<TopicPartition> partitions, AtomicBoolean killed) throws Exception {
        Map<String, Object> settings = kafka.producer();
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "it");
        settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, 5_000);
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, PATIENCE.toMillis());
        KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer());
        producer.initTransactions();
        CompletableFuture<Void> first = new CompletableFuture<>();
        CompletableFuture<Void> last = CompletableFuture.runAsync(() -> {
            try {
                while (!killed.get()) {
                    producer.beginTransaction();
                    for (TopicPartition partition : partitions) {
                        var unused = producer.send(
                                new ProducerRecord<>(partition.topic(), partition.partition(), "key", "value"));
                    }
                    producer.commitTransaction();
                    first.complete(null);
                }
            } catch (KafkaException failure) {
                first.completeExceptionally(failure);
            } finally {
                producer.close(Duration.ZERO);
            }
        });
        first.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        return last;
    }

    private static Map<TopicPartition, Long> ends(
            Admin admin, List<TopicPartition> partitions, IsolationLevel isolation) throws Exception {
        Map<TopicPartition, Long> ends = new HashMap<>();
        admin.listOffsets(
                        partitions.stream()
                                .collect(Collectors.toMap(Function.identity(), partition -> OffsetSpec.latest())),
                        new ListOffsetsOptions(isolation))
                .all()
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    @Test
    void shouldSayWhatIsWrong_whenThePortIsTaken() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThatThrownBy(() -> new EmbeddedKafka(dir.resolve("kafka"), taken.getLocalPort()).close())
                    .isInstanceOf(StartException.class)
                    .hasMessageContaining(Integer.toString(taken.getLocalPort()));
        }
    }

    @Test
    void shouldRefuseAndDeleteNothing_whenTheDirectoryIsCorrupt() throws Exception {
        Path meta = Files.createDirectories(dir.resolve("kafka")).resolve("meta.properties");
        Files.writeString(meta, "this is no meta.properties");

        assertThatThrownBy(() -> new EmbeddedKafka(dir.resolve("kafka"), 0).close())
                .isInstanceOf(StartException.class)
                .hasMessageContaining(dir.resolve("kafka").toString());

        assertThat(meta).hasContent("this is no meta.properties");
    }

    static void prepare(EmbeddedKafka kafka) throws Exception {
        try (Admin admin = Admin.create(settings(kafka).common())) {
            Topics.ensure(admin, (short) 1);
        }
    }

    static void send(EmbeddedKafka kafka, String value) throws Exception {
        try (KafkaProducer<String, String> producer =
                new KafkaProducer<>(settings(kafka).producer(), new StringSerializer(), new StringSerializer())) {
            producer.send(new ProducerRecord<>(Topics.ACCEPTED, 0, "key", value))
                    .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
    }

    private static List<String> read(EmbeddedKafka kafka, int count) {
        Map<String, Object> settings = settings(kafka).common();
        List<String> values = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = List.of(new TopicPartition(Topics.ACCEPTED, 0));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Awaitility.await().atMost(PATIENCE).until(() -> {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> values.add(record.value()));
                return values.size() >= count;
            });
        }
        return values;
    }

    static KafkaSettings settings(EmbeddedKafka kafka) {
        return settings(kafka.bootstrapServers());
    }

    private static KafkaSettings settings(String bootstrapServers) {
        return new KafkaSettings(bootstrapServers, "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
    }

    @Test
    void shouldStart_whenAnEarlierFirstStartWasKilledWhileFormatting() throws Exception {
        Path half = Files.createDirectories(dir.resolve("kafka.new"));
        Files.writeString(half.resolve("bootstrap.checkpoint"), "half");

        try (EmbeddedKafka kafka = new EmbeddedKafka(dir.resolve("kafka"), 0)) {
            assertThat(kafka.port()).isPositive();
        }

        assertThat(half).doesNotExist();
    }
}
