package dev.weir.status;

import dev.weir.contracts.kafka.Topics;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The end offsets of {@code weir.accepted}. However many ask, each partition has one request on its way and at most one
 * behind it, which all who come meanwhile share: a request already sent may be older than the 202 that the asker has seen.
 * Thread-safe; never blocks.
 */
final class EndOffsets {
    static final Duration TIMEOUT = Duration.ofSeconds(3);

    private static final class Asking {
        @Nullable
        CompletableFuture<Long> sent;

        @Nullable
        CompletableFuture<Long> next;
    }

    private final Admin admin;
    private final Asking[] asking;

    EndOffsets(Admin admin, int partitions) {
        this.admin = admin;
        this.asking = new Asking[partitions];
        for (int i = 0; i < partitions; i++) {
            asking[i] = new Asking();
        }
    }

    /** The end offset of the partition at some instant after this call. The future is shared: do not complete it. */
    CompletableFuture<Long> accepted(int partition) {
        Asking mine = asking[partition];
        CompletableFuture<Long> answer;
        synchronized (mine) {
            if (mine.sent != null) {
                if (mine.next == null) {
                    mine.next = new CompletableFuture<>();
                }
                return mine.next;
            }
            answer = new CompletableFuture<>();
            mine.sent = answer;
        }
        send(partition, answer);
        return answer;
    }

    private void send(int partition, CompletableFuture<Long> answer) {
        TopicPartition topicPartition = new TopicPartition(Topics.ACCEPTED, partition);
        ListOffsetsResult result;
        try {
            result = admin.listOffsets(
                    Map.of(topicPartition, OffsetSpec.latest()),
                    new ListOffsetsOptions().timeoutMs((int) TIMEOUT.toMillis()));
        } catch (KafkaException | IllegalStateException e) {
            answered(partition);
            answer.completeExceptionally(e);
            return;
        }
        var unused = result.partitionResult(topicPartition).whenComplete((info, failure) -> {
            answered(partition);
            if (failure != null) {
                answer.completeExceptionally(failure);
            } else {
                answer.complete(info.offset());
            }
        });
    }

    private void answered(int partition) {
        Asking mine = asking[partition];
        CompletableFuture<Long> following;
        synchronized (mine) {
            following = mine.next;
            mine.sent = following;
            mine.next = null;
        }
        if (following != null) {
            send(partition, following);
        }
    }
}
