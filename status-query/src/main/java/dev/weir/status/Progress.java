package dev.weir.status;

import dev.weir.contracts.kafka.Topics;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReferenceArray;
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
        long life;
        long acceptedNext;
        long eventsNext;
        final PriorityQueue<Waiter> waiters = new PriorityQueue<>(Comparator.comparingLong(Waiter::offset));
        final List<Waiter> catchingUp = new ArrayList<>();
    }

    private final AtomicReferenceArray<State> states;

    Progress(int partitions) {
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
                if (state.running && !state.caughtUp) {
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

    boolean isCaughtUp(int partition) {
        State state = states.get(partition);
        synchronized (state) {
            return state.caughtUp;
        }
    }

    CompletableFuture<@Nullable Void> whenCaughtUp(int partition) {
        State state = states.get(partition);
        synchronized (state) {
            return state.caughtUp ? CompletableFuture.completedFuture(null) : inLine(state, state.catchingUp, 0);
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
