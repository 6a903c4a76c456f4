package dev.weir.benchmarks;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.AcknowledgeType;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.CloseOptions.GroupMembershipOperation;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.KafkaShareConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * One member of a group that takes permits, in a process of its own, so that it can be killed. A record counts as held once
 * the broker has confirmed that it is taken, for only then could it be called. Each is told on standard output as
 * {@code taken KEY MICROSECONDS-SINCE-THE-EPOCH}. It leaves when a byte comes on its standard input.
 */
final class GroupMember {
    static final String GROUP = "members";
    static final String TOPIC = "members.permits";
    /** The first word of each line that tells of a permit. */
    static final String TAKEN = "taken";

    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration COMMIT_TIMEOUT = Duration.ofSeconds(2);

    /** The kinds of groups that are compared. */
    enum Kind {
        /** Classic protocol, a member keeps its place for as long as its session lasts. */
        STATIC,
        /** Classic protocol, cooperative, a member that ends leaves. */
        COOPERATIVE,
        /** The consumer protocol of KIP-848, a member that ends leaves. */
        CONSUMER,
        /** A share group, KIP-932. */
        SHARE
    }

    private final KafkaSettings kafka;
    private final Kind kind;

    private GroupMember(KafkaSettings kafka, Kind kind) {
        this.kafka = kafka;
        this.kind = kind;
    }

    /** The process itself: where the broker is, the kind of group, this member's name. */
    public static void main(String[] args) throws IOException {
        KafkaSettings kafka =
                new KafkaSettings(args[0], args[2], Path.of("."), (short) 1, KafkaSettings.SESSION_TIMEOUT);
        GroupMember member = new GroupMember(kafka, Kind.valueOf(args[1]));
        if (member.kind == Kind.SHARE) {
            member.share();
        } else {
            member.consume();
        }
    }

    private static boolean ended() throws IOException {
        return System.in.available() > 0;
    }

    private void consume() throws IOException {
        Map<String, Object> settings = kafka.consumer(GROUP);
        if (kind != Kind.STATIC) {
            settings.remove(ConsumerConfig.GROUP_INSTANCE_ID_CONFIG);
        }
        if (kind == Kind.COOPERATIVE) {
            settings.put(
                    ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        }
        if (kind == Kind.CONSUMER) {
            settings.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, "consumer");
            // The broker's to say in this protocol.
            settings.remove(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG);
            settings.remove(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG);
        }
        KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        try {
            consumer.subscribe(List.of(TOPIC));
            while (!ended()) {
                ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
                if (records.isEmpty()) {
                    continue;
                }
                try {
                    consumer.commitSync(COMMIT_TIMEOUT);
                    held(records);
                } catch (KafkaException e) {
                    System.err.println("not taken: " + e.getMessage());
                    for (TopicPartition partition : records.partitions()) {
                        if (consumer.assignment().contains(partition)) {
                            consumer.seek(
                                    partition, records.records(partition).get(0).offset());
                        }
                    }
                }
            }
        } finally {
            consumer.close(
                    kind == Kind.STATIC
                            ? CloseOptions.timeout(COMMIT_TIMEOUT)
                            : CloseOptions.groupMembershipOperation(GroupMembershipOperation.LEAVE_GROUP)
                                    .withTimeout(COMMIT_TIMEOUT));
        }
    }

    private void share() throws IOException {
        Map<String, Object> settings = kafka.common();
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, GROUP);
        settings.put(ConsumerConfig.SHARE_ACKNOWLEDGEMENT_MODE_CONFIG, "explicit");
        settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, Topics.MAX_MESSAGE_BYTES);
        KafkaShareConsumer<String, byte[]> consumer =
                new KafkaShareConsumer<>(settings, new StringDeserializer(), new ByteArrayDeserializer());
        try {
            consumer.subscribe(List.of(TOPIC));
            while (!ended()) {
                ConsumerRecords<String, byte[]> records = consumer.poll(POLL);
                if (records.isEmpty()) {
                    continue;
                }
                records.forEach(record -> consumer.acknowledge(record, AcknowledgeType.ACCEPT));
                Map<TopicIdPartition, Optional<KafkaException>> results = consumer.commitSync(COMMIT_TIMEOUT);
                List<ConsumerRecord<String, byte[]>> taken = new ArrayList<>();
                results.forEach((partition, failure) -> {
                    if (failure.isEmpty()) {
                        taken.addAll(records.records(partition.topicPartition()));
                    } else {
                        System.err.println("not taken: " + failure.get().getMessage());
                    }
                });
                held(taken);
            }
        } finally {
            consumer.close(COMMIT_TIMEOUT);
        }
    }

    private static void held(Iterable<ConsumerRecord<String, byte[]>> records) {
        long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        StringBuilder lines = new StringBuilder();
        records.forEach(record -> lines.append(TAKEN)
                .append(' ')
                .append(record.key())
                .append(' ')
                .append(now)
                .append('\n'));
        System.out.print(lines);
        System.out.flush();
    }
}
