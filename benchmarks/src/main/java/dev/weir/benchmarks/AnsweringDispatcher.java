package dev.weir.benchmarks;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;

/** Answers every permit at its slot, calls nobody, and remembers the slots. */
final class AnsweringDispatcher implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(20);
    private static final Duration LATENCY = Duration.ofMillis(100);
    private static final Answer ANSWER = new Answer(200, Map.of("content-type", "application/json"), "{}", null, false);

    private final Broker broker;
    private final Thread thread = new Thread(this::run, "answering-dispatcher");
    /** Slots by permit; a permit given twice would be a second entry of the same number. */
    private final TreeMap<Long, Long> slots = new TreeMap<>();

    private volatile boolean closing;

    AnsweringDispatcher(Broker broker) {
        this.broker = broker;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    int slots() {
        synchronized (slots) {
            return slots.size();
        }
    }

    /** The most slots in any rolling window of this length. */
    int mostWithin(Duration window) {
        long[] sorted = sorted();
        int most = 0;
        int tail = 0;
        for (int head = 0; head < sorted.length; head++) {
            while (sorted[head] - sorted[tail] >= window.toNanos()) {
                tail++;
            }
            most = Math.max(most, head - tail + 1);
        }
        return most;
    }

    /** How many slots each full minute from the first one on had. */
    String fullMinutes() {
        long[] sorted = sorted();
        StringBuilder text = new StringBuilder("by the minute:");
        long minute = Duration.ofMinutes(1).toNanos();
        for (long from = sorted[0]; from + minute <= sorted[sorted.length - 1]; from += minute) {
            int count = 0;
            for (long slot : sorted) {
                count += slot >= from && slot < from + minute ? 1 : 0;
            }
            text.append(' ').append(count);
        }
        return text.toString();
    }

    private long[] sorted() {
        synchronized (slots) {
            return slots.values().stream().mapToLong(Long::longValue).sorted().toArray();
        }
    }

    private void run() {
        PriorityQueue<Permit> open = new PriorityQueue<>(Comparator.comparing(Permit::slot));
        try (Feed feed = broker.feed();
                Broker.Tail dispatch = broker.tail(Topics.DISPATCH)) {
            while (!closing) {
                dispatch.poll(POLL, value -> {
                    Permit permit = Json.read(value, Permit.class);
                    open.add(permit);
                    synchronized (slots) {
                        if (slots.put(permit.permit(), EpochNanos.of(permit.slot())) != null) {
                            throw new IllegalStateException("permit " + permit.permit() + " was given twice");
                        }
                    }
                });
                while (!open.isEmpty() && open.peek().slot().plus(LATENCY).isBefore(Instant.now())) {
                    Permit permit = open.remove();
                    feed.send(Topics.OUTCOMES, permit.upstream(), Json.bytes(answered(permit)));
                }
            }
        }
    }

    private static Outcome answered(Permit permit) {
        return new Outcome(
                Outcome.VERSION,
                permit.jobId(),
                permit.tenant(),
                permit.upstream(),
                permit.permit(),
                permit.attempt(),
                Outcome.Kind.ANSWERED,
                permit.slot(),
                permit.slot(),
                permit.slot().plus(LATENCY),
                ANSWER,
                null);
    }

    @Override
    public void close() {
        closing = true;
        try {
            thread.join(Duration.ofSeconds(5).toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
