package dev.weir.throttler.testing;

import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Dispatchers in virtual time: each permit is called at its slot and answered after the latency; one that is read too late is
 * handed back unused. It stands still until it is started. Not thread-safe.
 */
public final class VirtualDispatcher {
    private final ThrottleHarness harness;
    private final Deque<Permit> topic = new ArrayDeque<>();
    private Duration latency = Duration.ofMillis(20);
    private Function<Permit, Reply> replies = permit -> Reply.of(200);
    private boolean running;
    /** A killed process' calls and permits are not the next one's. */
    private int life;

    VirtualDispatcher(ThrottleHarness harness) {
        this.harness = harness;
    }

    /** From the start of a call to its outcome; 20 ms unless set. */
    public VirtualDispatcher latency(Duration newLatency) {
        latency = newLatency;
        return this;
    }

    /** What the upstream says to each call; 200 unless set. */
    public VirtualDispatcher replies(Function<Permit, Reply> newReplies) {
        replies = newReplies;
        return this;
    }

    /** Takes the permits that wait in the topic, and all that come. */
    public VirtualDispatcher start() {
        running = true;
        while (running && !topic.isEmpty()) {
            take(topic.remove());
        }
        return this;
    }

    /** Takes no more, as in an orderly shutdown: what it holds is called at its slot and answered. */
    public void stop() {
        running = false;
    }

    /** Is gone at once: open calls bring no outcome, and what it holds is lost. */
    public void kill() {
        running = false;
        life++;
    }

    /** A permit that nobody took yet, or null. */
    @Nullable
    Permit poll() {
        return topic.poll();
    }

    int waiting() {
        return topic.size();
    }

    void offer(Permit permit) {
        if (running) {
            take(permit);
        } else {
            topic.add(permit);
        }
    }

    private void take(Permit permit) {
        int mine = life;
        harness.at(harness.later(permit.slot()), () -> {
            if (mine == life) {
                call(permit);
            }
        });
    }

    private void call(Permit permit) {
        if (!harness.now().isBefore(permit.expiresAt())) {
            harness.handBack(permit);
            return;
        }
        harness.called(permit, harness.now());
        Reply reply = replies.apply(permit);
        int mine = life;
        Instant startedAt = harness.now();
        harness.at(startedAt.plus(latency), () -> {
            if (mine == life && !reply.lost()) {
                harness.report(permit, reply, startedAt);
            }
        });
    }
}
