package dev.weir.status;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.standalone.EmbeddedKafka;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a partition's topics tell while nobody has its store, on a real broker. */
@Tag("long")
class LostPartitionsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @Test
    void shouldTellWhatWasCommittedSinceTheOwnersLastCommit_andNothingElse(@TempDir Path dir) throws Exception {
        try (EmbeddedKafka broker = new EmbeddedKafka(dir.resolve("kafka"), 0)) {
            KafkaSettings kafka = new KafkaSettings(
                    broker.bootstrapServers(), "it", dir.resolve("state"), (short) 1, KafkaSettings.SESSION_TIMEOUT);
            try (Admin admin = Admin.create(kafka.common());
                    KafkaProducer<String, byte[]> ingress = JobTopics.producer(kafka, null);
                    KafkaProducer<String, byte[]> throttle = JobTopics.producer(kafka, "it-throttle");
                    LostPartitions lost = lost(kafka, admin)) {
                Topics.ensure(admin, (short) 1);
                throttle.initTransactions();
                String before = UUID.randomUUID().toString();
                JobTopics.accept(ingress, before);
                commitAll(admin);
                String after = UUID.randomUUID().toString();
                JobTopics.accept(ingress, after);
                ingress.send(new ProducerRecord<>(Topics.ACCEPTED, partition(after), after, new byte[] {1}));

                assertThat(status(lost, after)).isEqualTo(JobStatus.ACCEPTED);
                assertThat(status(lost, before)).isNull();
                assertThat(status(lost, UUID.randomUUID().toString())).isNull();

                throttle.beginTransaction();
                JobTopics.tell(throttle, after, JobStatus.DISPATCHED, 2);
                JobTopics.tell(throttle, after, JobStatus.QUEUED, 1);
                throttle.commitTransaction();
                await().atMost(PATIENCE).until(() -> status(lost, after) == JobStatus.DISPATCHED);
                throttle.beginTransaction();
                JobTopics.tell(throttle, after, JobStatus.DEAD, 3);
                throttle.flush();
                throttle.abortTransaction();
                throttle.beginTransaction();
                JobTopics.tell(throttle, before, JobStatus.SUCCEEDED, 3);
                throttle.commitTransaction();
                await().atMost(PATIENCE).until(() -> status(lost, before) == JobStatus.SUCCEEDED);
                assertThat(status(lost, after)).isEqualTo(JobStatus.DISPATCHED);
            }
        }
    }

    private static LostPartitions lost(KafkaSettings kafka, Admin admin) {
        return new LostPartitions(
                admin,
                StatusStreams.APPLICATION_ID,
                new EndOffsets(admin, Topics.JOB_PARTITIONS)::accepted,
                () -> StatusQuery.consumer(kafka));
    }

    private static int partition(String id) {
        return Topics.partitionOf(id, Topics.JOB_PARTITIONS);
    }

    private static @Nullable JobStatus status(LostPartitions lost, String id) throws Exception {
        JobEvent job = lost.newest(id, partition(id)).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        return job == null ? null : job.status();
    }

    /** As an owner that has read everything. */
    private static void commitAll(Admin admin) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        EndOffsets ends = new EndOffsets(admin, Topics.JOB_PARTITIONS);
        for (int partition = 0; partition < Topics.JOB_PARTITIONS; partition++) {
            long end = ends.accepted(partition).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            offsets.put(new TopicPartition(Topics.ACCEPTED, partition), new OffsetAndMetadata(end));
        }
        admin.alterConsumerGroupOffsets(StatusStreams.APPLICATION_ID, offsets)
                .all()
                .get();
    }
}
