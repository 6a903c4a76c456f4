package dev.weir.status;

import dev.weir.contracts.kafka.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens a partition to lookups once its store has everything that was there when its task began. A task that ended
 * uncleanly may have shown states that its changelog had not got yet; until it has read them again, serving from it would
 * let a status step back. One thread of its own, which alone blocks, within {@link #ADMIN_TIMEOUT}.
 */
final class CatchUp implements AutoCloseable {
    static final Duration TICK = Duration.ofMillis(100);
    static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(3);
    /** After that a partition is opened as it is: late states are better than none. */
    static final Duration LIMIT = Duration.ofSeconds(60);

    private static final Logger LOG = LoggerFactory.getLogger(CatchUp.class);
    private static final List<String> TOPICS = List.of(Topics.ACCEPTED, Topics.JOB_EVENTS);

    private record Target(Map<String, Long> ends, long sinceNanos) {}

    private final Admin admin;
    private final String group;
    private final Progress progress;
    private final Map<Progress.Life, Target> targets = new HashMap<>();
    private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread made = new Thread(task, "status-catch-up");
        made.setDaemon(true);
        return made;
    });
    private @Nullable String lastComplaint;
    private @Nullable ScheduledFuture<?> ticking;

    CatchUp(Admin admin, String group, Progress progress) {
        this.admin = admin;
        this.group = group;
        this.progress = progress;
    }

    void start() {
        ticking = thread.scheduleWithFixedDelay(this::tick, 0, TICK.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void tick() {
        List<Progress.Life> lives = progress.catchingUp();
        targets.keySet().retainAll(lives);
        if (lives.isEmpty()) {
            return;
        }
        try {
            look(lives);
            lastComplaint = null;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException | RuntimeException e) {
            String complaint = String.valueOf(e.getMessage());
            if (!complaint.equals(lastComplaint)) {
                LOG.warn(
                        "cannot tell from Kafka how far the status store has to catch up ({}); jobs of {} partitions answer 503"
                                + " until it can, trying again each {}",
                        complaint,
                        lives.size(),
                        TICK);
                lastComplaint = complaint;
            }
        }
    }

    private void look(List<Progress.Life> lives) throws InterruptedException, ExecutionException, TimeoutException {
        List<Progress.Life> fresh =
                lives.stream().filter(life -> !targets.containsKey(life)).toList();
        if (!fresh.isEmpty()) {
            setTargets(fresh);
        }
        Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(
                        group, new ListConsumerGroupOffsetsOptions().timeoutMs((int) ADMIN_TIMEOUT.toMillis()))
                .partitionsToOffsetAndMetadata()
                .get(ADMIN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        for (Progress.Life life : lives) {
            Target target = targets.get(life);
            if (target == null) {
                continue;
            }
            boolean there = true;
            for (String topic : TOPICS) {
                OffsetAndMetadata offset = committed.get(new TopicPartition(topic, life.partition()));
                if (offset != null) {
                    // What is committed is in the store; it also passes the markers that end transactions, which no
                    // processor ever sees.
                    progress.passed(topic, life, offset.offset());
                }
                there &= progress.next(topic, life.partition()) >= target.ends().getOrDefault(topic, 0L);
            }
            boolean late = System.nanoTime() - target.sinceNanos() > LIMIT.toNanos();
            if (late && !there) {
                LOG.warn(
                        "partition {} of the status store has not caught up within {}; it is opened as it is, and jobs may"
                                + " show an older state until it has",
                        life.partition(),
                        LIMIT);
            }
            if (there || late) {
                progress.caughtUp(life);
            }
        }
    }

    private void setTargets(List<Progress.Life> fresh)
            throws InterruptedException, ExecutionException, TimeoutException {
        List<TopicPartition> partitions = new ArrayList<>();
        for (Progress.Life life : fresh) {
            TOPICS.forEach(topic -> partitions.add(new TopicPartition(topic, life.partition())));
        }
        Map<TopicPartition, Long> starts = offsets(partitions, OffsetSpec.earliest());
        Map<TopicPartition, Long> ends = offsets(partitions, OffsetSpec.latest());
        for (Progress.Life life : fresh) {
            Map<String, Long> end = new HashMap<>();
            for (String topic : TOPICS) {
                TopicPartition partition = new TopicPartition(topic, life.partition());
                end.put(topic, ends.getOrDefault(partition, 0L));
                // What lies before the start is gone, and nothing to wait for.
                progress.passed(topic, life, starts.getOrDefault(partition, 0L));
            }
            targets.put(life, new Target(end, System.nanoTime()));
        }
    }

    private Map<TopicPartition, Long> offsets(List<TopicPartition> partitions, OffsetSpec which)
            throws InterruptedException, ExecutionException, TimeoutException {
        Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
        partitions.forEach(partition -> asked.put(partition, which));
        Map<TopicPartition, Long> found = new HashMap<>();
        // Read committed: an open transaction's records cannot have been shown to anyone.
        admin.listOffsets(asked, new ListOffsetsOptions(IsolationLevel.READ_COMMITTED).timeoutMs((int)
                                ADMIN_TIMEOUT.toMillis()))
                .all()
                .get(ADMIN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)
                .forEach((partition, info) -> found.put(partition, info.offset()));
        return found;
    }

    @Override
    public void close() {
        if (ticking != null) {
            ticking.cancel(true);
        }
        thread.shutdownNow();
    }
}
