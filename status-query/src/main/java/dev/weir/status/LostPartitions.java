package dev.weir.status;

import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.wire.JobEvent;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happened in a partition since its owner was lost. Until another instance has taken it over, no store and no copy takes
 * in what comes; this reads it from the topics, from the owner's last commit on, for as long as somebody asks. Thread-safe;
 * never blocks the caller: one thread of its own reads, while there is something to read.
 */
final class LostPartitions implements AutoCloseable {
    /** Whoever asks gets what the copy has after that. */
    static final Duration LONGEST_WAIT = Duration.ofSeconds(1);
    /** A partition that nobody asked for so long is somebody's again. */
    static final Duration FORGOTTEN_AFTER = Duration.ofSeconds(30);
    /** Of one partition. Beyond that only their changes are followed, and newer jobs answer as if this were not here. */
    static final int MOST_JOBS = 100_000;

    static final Duration POLL = Duration.ofMillis(20);
    static final Duration ADMIN_TIMEOUT = Duration.ofSeconds(3);

    private static final Logger LOG = LoggerFactory.getLogger(LostPartitions.class);
    private static final List<String> TOPICS = List.of(Topics.ACCEPTED, Topics.JOB_EVENTS);

    private final Admin admin;
    private final String group;
    private final IntFunction<CompletableFuture<Long>> endOfAccepted;
    private final Supplier<Consumer<String, byte[]>> consumers;
    private final Map<Integer, Tail> tails = new ConcurrentHashMap<>();
    private boolean reading;
    private volatile boolean closed;

    private record Waiter(long offset, CompletableFuture<@Nullable Void> future) {}

    private static final class Tail {
        final Map<String, JobEvent> jobs = new ConcurrentHashMap<>();
        final PriorityQueue<Waiter> waiters = new PriorityQueue<>(Comparator.comparingLong(Waiter::offset));
        volatile long askedNanos = System.nanoTime();
        long passed = -1;

        void take(JobEvent event) {
            if (jobs.size() < MOST_JOBS || jobs.containsKey(event.id())) {
                jobs.merge(event.id(), event, (known, told) -> told.revision() > known.revision() ? told : known);
            }
        }

        synchronized CompletableFuture<@Nullable Void> whenPassed(long offset) {
            CompletableFuture<@Nullable Void> future = new CompletableFuture<>();
            if (passed >= offset) {
                future.complete(null);
            } else {
                Waiter waiter = new Waiter(offset, future);
                waiters.add(waiter);
                // Nobody waits longer; one that was passed is out already.
                return future.completeOnTimeout(null, LONGEST_WAIT.toMillis(), TimeUnit.MILLISECONDS)
                        .whenComplete((done, failure) -> drop(waiter));
            }
            return future;
        }

        private synchronized void drop(Waiter waiter) {
            waiters.remove(waiter);
        }

        void passed(long next) {
            List<Waiter> due = new ArrayList<>();
            synchronized (this) {
                passed = next;
                for (Waiter first = waiters.peek(); first != null && first.offset() <= next; first = waiters.peek()) {
                    due.add(waiters.remove());
                }
            }
            due.forEach(waiter -> waiter.future().complete(null));
        }

        boolean isForgotten() {
            return System.nanoTime() - askedNanos > FORGOTTEN_AFTER.toNanos();
        }
    }

    /**
     * @param group whose commits tell how far the lost owner had come
     * @param endOfAccepted the end offset of a partition of {@code weir.accepted}, read after the call
     * @param consumers makes one that is in no group and sees what is committed alone
     */
    LostPartitions(
            Admin admin,
            String group,
            IntFunction<CompletableFuture<Long>> endOfAccepted,
            Supplier<Consumer<String, byte[]>> consumers) {
        this.admin = admin;
        this.group = group;
        this.endOfAccepted = endOfAccepted;
        this.consumers = consumers;
    }

    /** The newest state that was told since; null when nothing was, or when that cannot be found out in time. Never fails. */
    CompletableFuture<@Nullable JobEvent> newest(String id, int partition) {
        if (closed) {
            return CompletableFuture.completedFuture(null);
        }
        Tail tail = reading(partition);
        return endOfAccepted
                .apply(partition)
                .thenCompose(tail::whenPassed)
                .completeOnTimeout(null, LONGEST_WAIT.toMillis(), TimeUnit.MILLISECONDS)
                .handle((passed, failure) -> tail.jobs.get(id));
    }

    private synchronized Tail reading(int partition) {
        Tail tail = tails.computeIfAbsent(partition, fresh -> new Tail());
        tail.askedNanos = System.nanoTime();
        if (!reading) {
            reading = true;
            Thread thread = new Thread(this::run, "status-lost-partitions");
            thread.setDaemon(true);
            thread.start();
        }
        return tail;
    }

    private void run() {
        try (Consumer<String, byte[]> consumer = consumers.get()) {
            while (!isOver()) {
                follow(consumer);
                for (ConsumerRecord<String, byte[]> message : consumer.poll(POLL)) {
                    take(message);
                }
                tails.forEach((partition, tail) -> {
                    TopicPartition accepted = new TopicPartition(Topics.ACCEPTED, partition);
                    if (consumer.assignment().contains(accepted)) {
                        tail.passed(consumer.position(accepted));
                    }
                });
            }
        } catch (RuntimeException | ExecutionException | TimeoutException e) {
            LOG.warn(
                    "cannot read on in {} partitions of the status store whose instance was lost ({}); until another has taken"
                            + " them over, their jobs are told as the copy knew them, and newer ones answer 503",
                    tails.size(),
                    e.getMessage());
            stopped();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stopped();
        }
    }

    private synchronized boolean isOver() {
        tails.values().removeIf(Tail::isForgotten);
        if (closed || tails.isEmpty()) {
            stopped();
        }
        return !reading;
    }

    /** The next question begins anew. */
    private synchronized void stopped() {
        tails.clear();
        reading = false;
    }

    private void follow(Consumer<String, byte[]> consumer)
            throws InterruptedException, ExecutionException, TimeoutException {
        List<TopicPartition> all = new ArrayList<>();
        tails.keySet().forEach(partition -> TOPICS.forEach(topic -> all.add(new TopicPartition(topic, partition))));
        List<TopicPartition> fresh = all.stream()
                .filter(partition -> !consumer.assignment().contains(partition))
                .toList();
        if (fresh.isEmpty() && all.size() == consumer.assignment().size()) {
            return;
        }
        consumer.assign(all);
        if (fresh.isEmpty()) {
            return;
        }
        Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(
                        group, new ListConsumerGroupOffsetsOptions().timeoutMs((int) ADMIN_TIMEOUT.toMillis()))
                .partitionsToOffsetAndMetadata()
                .get(ADMIN_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        for (TopicPartition partition : fresh) {
            OffsetAndMetadata offset = committed.get(partition);
            if (offset == null) {
                consumer.seekToBeginning(List.of(partition));
            } else {
                consumer.seek(partition, offset);
            }
        }
    }

    private void take(ConsumerRecord<String, byte[]> message) {
        Tail tail = tails.get(message.partition());
        if (tail == null) {
            return;
        }
        try {
            tail.take(JobStatesProcessor.read(message.topic(), message.key(), message.value()));
        } catch (SerializationException e) {
            LOG.debug("passed over by the store, too, which says so", e);
        }
    }

    @Override
    public void close() {
        closed = true;
    }
}
