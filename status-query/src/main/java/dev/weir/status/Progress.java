package dev.weir.status;

import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How far the store of each partition has come: written by the stream thread, waited for by lookups. Thread-safe. A future
 * that it hands out belongs to the one caller and may be given a timeout; the callbacks put on it must be asynchronous, for
 * the stream thread completes it.
 */
final class Progress {
    /** One life of a task in this process. What was learned of an earlier life says nothing about the store of this one. */
    record Life(int partition, long number) {}

    private record Waiter(long offset, CompletableFuture<@Nullable Void> future) {}

    private static final class State {
        boolean running;
        boolean caughtUp;
        long aliveNanos;
        boolean suspect;
        long suspectSinceNanos;
        long life;
        long acceptedNext;
        long eventsNext;
        final PriorityQueue<Waiter> waiters = new PriorityQueue<>(Comparator.comparingLong(Waiter::offset));
        final List<Waiter> catchingUp = new ArrayList<>();
    }

    /**
     * A stream thread that was silent for so long may have lost its partitions to another instance without knowing it. Less
     * than the time after which the group gives them away.
     */
    static final Duration SUSPECT_AFTER = KafkaSettings.SESSION_TIMEOUT.dividedBy(2);

    /** After a silence: by then a heartbeat has told whether the partitions are still this instance's. */
    static final Duration CONFIRMED_AFTER = Duration.ofSeconds(3);

    private final AtomicReferenceArray<State> states;
    private final LongSupplier nanoTime;

    /** @param nanoTime monotonic */
    Progress(int partitions, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        states = new AtomicReferenceArray<>(partitions);
        for (int i = 0; i < partitions; i++) {
            states.set(i, new State());
        }
    }

    int partitions() {
        return states.length();
    }

    /** A task begins to process: its store is restored, but may lack records that an earlier life had already shown. */
    void started(int partition) {
        reset(partition, true);
    }

    void closed(int partition) {
        reset(partition, false);
    }

    private void reset(int partition, boolean running) {
        State state = states.get(partition);
        synchronized (state) {
            state.running = running;
            state.caughtUp = false;
            state.aliveNanos = nanoTime.getAsLong();
            state.suspect = false;
            state.life++;
            state.acceptedNext = 0;
            state.eventsNext = 0;
        }
    }

    /** The store holds everything of the topic's partition below {@code next}. */
    void passed(String topic, int partition, long next) {
        State state = states.get(partition);
        List<CompletableFuture<@Nullable Void>> due = new ArrayList<>(0);
        synchronized (state) {
            advance(state, topic, next, due);
        }
        due.forEach(future -> future.complete(null));
    }

    /** As {@link #passed(String, int, long)}, learned from outside and dropped when the task has begun anew since. */
    void passed(String topic, Life life, long next) {
        State state = states.get(life.partition());
        List<CompletableFuture<@Nullable Void>> due = new ArrayList<>(0);
        synchronized (state) {
            if (state.life == life.number() && state.running) {
                advance(state, topic, next, due);
            }
        }
        due.forEach(future -> future.complete(null));
    }

    private static void advance(State state, String topic, long next, List<CompletableFuture<@Nullable Void>> due) {
        if (!topic.equals(Topics.ACCEPTED)) {
            state.eventsNext = Math.max(state.eventsNext, next);
            return;
        }
        state.acceptedNext = Math.max(state.acceptedNext, next);
        for (Waiter first = state.waiters.peek();
                first != null && first.offset() <= state.acceptedNext;
                first = state.waiters.peek()) {
            due.add(first.future());
            state.waiters.remove();
        }
    }

    long next(String topic, int partition) {
        State state = states.get(partition);
        synchronized (state) {
            return topic.equals(Topics.ACCEPTED) ? state.acceptedNext : state.eventsNext;
        }
    }

    /** The tasks that run here and have not yet come to where an earlier life may have been. */
    List<Life> catchingUp() {
        List<Life> lives = new ArrayList<>();
        for (int i = 0; i < states.length(); i++) {
            State state = states.get(i);
            synchronized (state) {
                if (state.running && !state.caughtUp && !state.suspect) {
                    lives.add(new Life(i, state.life));
                }
            }
        }
        return lives;
    }

    void caughtUp(Life life) {
        State state = states.get(life.partition());
        List<Waiter> due;
        synchronized (state) {
            if (state.life != life.number() || !state.running) {
                return;
            }
            state.caughtUp = true;
            due = List.copyOf(state.catchingUp);
            state.catchingUp.clear();
        }
        due.forEach(waiter -> waiter.future().complete(null));
    }

    /** Whether what the store says now is the newest there is. */
    boolean isCaughtUp(int partition) {
        State state = states.get(partition);
        synchronized (state) {
            return state.caughtUp && !silent(state);
        }
    }

    /** Whether a task of this partition runs here: it has caught up, or is about to. */
    boolean isRunning(int partition) {
        State state = states.get(partition);
        synchronized (state) {
            return state.running;
        }
    }

    /**
     * The stream thread lives. After a silence it has to catch up anew: while it was suspended, another instance may have
     * gone on.
     */
    void alive(int partition) {
        State state = states.get(partition);
        synchronized (state) {
            if (silent(state)) {
                state.caughtUp = false;
                state.suspect = true;
                state.suspectSinceNanos = nanoTime.getAsLong();
                state.life++;
            } else if (nanoTime.getAsLong() - state.suspectSinceNanos > CONFIRMED_AFTER.toNanos()) {
                state.suspect = false;
            }
            state.aliveNanos = nanoTime.getAsLong();
        }
    }

    private boolean silent(State state) {
        return nanoTime.getAsLong() - state.aliveNanos > SUSPECT_AFTER.toNanos();
    }

    /** The partitions whose newest states this instance can tell. */
    List<Integer> caughtUp() {
        List<Integer> partitions = new ArrayList<>();
        for (int i = 0; i < states.length(); i++) {
            if (isCaughtUp(i)) {
                partitions.add(i);
            }
        }
        return partitions;
    }

    CompletableFuture<@Nullable Void> whenCaughtUp(int partition) {
        State state = states.get(partition);
        synchronized (state) {
            return state.caughtUp && !silent(state)
                    ? CompletableFuture.completedFuture(null)
                    : inLine(state, state.catchingUp, 0);
        }
    }

    /** Completes once the store holds every accepted job below an offset of {@code weir.accepted}. */
    CompletableFuture<@Nullable Void> whenAccepted(int partition, long offset) {
        State state = states.get(partition);
        synchronized (state) {
            return state.acceptedNext >= offset
                    ? CompletableFuture.completedFuture(null)
                    : inLine(state, state.waiters, offset);
        }
    }

    /** How many wait for the store of a partition. */
    int waiting(int partition) {
        State state = states.get(partition);
        synchronized (state) {
            return state.waiters.size() + state.catchingUp.size();
        }
    }

    private static CompletableFuture<@Nullable Void> inLine(State state, Collection<Waiter> line, long offset) {
        Waiter waiter = new Waiter(offset, new CompletableFuture<>());
        line.add(waiter);
        // One that was given up (its timeout) must not stay in line: a stalled store would collect them.
        var unused = waiter.future().whenComplete((done, failure) -> {
            if (failure != null) {
                synchronized (state) {
                    line.remove(waiter);
                }
            }
        });
        return waiter.future();
    }
}
