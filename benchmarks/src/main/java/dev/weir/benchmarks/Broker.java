package dev.weir.benchmarks;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.standalone.Directories;
import dev.weir.standalone.EmbeddedKafka;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** A fresh broker in a directory of its own, deleted at the end; and what a round asks of it. */
final class Broker implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Duration POLL = Duration.ofMillis(20);

    private static final String ALL_BROKERS = "";
    /** What the intake left in the changelogs would be cleaned in the release's time. */
    private static final AlterConfigOp NEVER_CLEAN = new AlterConfigOp(
            new ConfigEntry("log.cleaner.backoff.ms", Long.toString(PATIENCE.toMillis())), AlterConfigOp.OpType.SET);

    private final Path dir;
    private final EmbeddedKafka kafka;
    private final Admin admin;

    Broker() throws IOException, InterruptedException, ExecutionException {
        dir = Files.createTempDirectory("weir-benchmark");
        kafka = new EmbeddedKafka(dir.resolve("kafka"), 0);
        admin = Admin.create(settings().common());
        Topics.ensure(admin, (short) 1);
        List<NewTopic> outputs = Stream.of(BareStore.Records.values())
                .flatMap(records -> Stream.of(records.output(), records.events()))
                .map(name -> new NewTopic(name, Topics.JOB_PARTITIONS, (short) 1)
                        .configs(Map.of(
                                TopicConfig.MAX_MESSAGE_BYTES_CONFIG, Integer.toString(Topics.MAX_MESSAGE_BYTES))))
                .toList();
        admin.createTopics(outputs).all().get();
        admin.incrementalAlterConfigs(
                        Map.of(new ConfigResource(ConfigResource.Type.BROKER, ALL_BROKERS), List.of(NEVER_CLEAN)))
                .all()
                .get();
    }

    KafkaSettings settings() {
        return new KafkaSettings(
                kafka.bootstrapServers(),
                "benchmark",
                dir.resolve("state"),
                (short) 1,
                KafkaSettings.SESSION_TIMEOUT,
                true);
    }

    Feed feed() {
        return new Feed(settings());
    }

    /** How many records of a topic an application has done with: its committed offsets. */
    long committed(String application, String topic) {
        try {
            return admin.listConsumerGroupOffsets(application).partitionsToOffsetAndMetadata().get().entrySet().stream()
                    .filter(e -> e.getKey().topic().equals(topic) && e.getValue() != null)
                    .map(Map.Entry::getValue)
                    .mapToLong(OffsetAndMetadata::offset)
                    .sum();
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the broker does not tell the offsets of " + application, e);
        }
    }

    /** The end of the committed part of a topic; counts the transactions' own marks, too. */
    long committedEnd(String topic) {
        try {
            Map<TopicPartition, OffsetSpec> ends =
                    partitions(topic).stream().collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()));
            return admin
                    .listOffsets(ends, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED))
                    .all()
                    .get()
                    .values()
                    .stream()
                    .mapToLong(info -> info.offset())
                    .sum();
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the broker does not tell the end of " + topic, e);
        }
    }

    /** Follows a topic's committed records from its beginning. */
    Tail tail(String topic) {
        return new Tail(topic);
    }

    /** A reader of one topic, used by one thread. */
    final class Tail implements AutoCloseable {
        private final KafkaConsumer<String, byte[]> consumer;

        private Tail(String topic) {
            Map<String, Object> settings = settings().common();
            settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
            consumer = new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
            Collection<TopicPartition> partitions = partitions(topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
        }

        void poll(Duration patience, Consumer<byte[]> reader) {
            consumer.poll(patience).forEach(record -> reader.accept(record.value()));
        }

        @Override
        public void close() {
            consumer.close();
        }
    }

    /** Every committed record of a topic, partition by partition. */
    void read(String topic, Consumer<ConsumerRecord<String, byte[]>> reader) {
        Map<String, Object> settings = settings().common();
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 5000);
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            Collection<TopicPartition> partitions = partitions(topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            await("the end of " + topic, () -> {
                ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
                records.forEach(reader);
                return partitions.stream().allMatch(p -> consumer.position(p) >= ends.getOrDefault(p, 0L));
            });
        }
    }

    /** Fails unless a topic has exactly so many committed records, each with a key of its own. */
    void requireRecords(String topic, int expected) {
        Set<String> keys = new HashSet<>();
        int[] records = new int[1];
        read(topic, record -> {
            keys.add(record.key());
            records[0]++;
        });
        if (records[0] != expected || keys.size() != expected) {
            throw new IllegalStateException(topic + " has " + records[0] + " records of " + keys.size()
                    + " jobs, expected " + expected + " of each");
        }
    }

    /** Asks until it is so. */
    static void await(String what, BooleanSupplier condition) {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - until > 0) {
                throw new IllegalStateException(what + " did not come within " + PATIENCE);
            }
            pause(POLL);
        }
    }

    static void pause(Duration time) {
        try {
            Thread.sleep(time.toMillis());
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    @Override
    public void close() throws IOException {
        admin.close();
        kafka.close();
        Directories.delete(dir);
    }

    private Collection<TopicPartition> partitions(String topic) {
        try {
            int count = admin.describeTopics(List.of(topic))
                    .allTopicNames()
                    .get()
                    .values()
                    .iterator()
                    .next()
                    .partitions()
                    .size();
            return IntStream.range(0, count)
                    .mapToObj(p -> new TopicPartition(topic, p))
                    .toList();
        } catch (InterruptedException e) {
            throw interrupted(e);
        } catch (ExecutionException e) {
            throw new IllegalStateException("the broker does not know " + topic, e);
        }
    }

    private static IllegalStateException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new IllegalStateException("interrupted", e);
    }
}
