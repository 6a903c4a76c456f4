package dev.weir.throttler.upstream;

import java.time.Duration;

/**
 * Whether anybody dispatches. So many permits in a row without any outcome mean that nobody does: releases stop, one probe
 * goes out each {@code pause}, until any outcome comes. Not thread-safe.
 */
public final class Silence {
    /**
     * As it is kept.
     *
     * @param silent permits in a row that brought no outcome
     * @param nextProbe epoch nanoseconds; 0 while somebody dispatches
     * @param lastOutcome when an outcome came last, epoch nanoseconds
     */
    public record State(int silent, long nextProbe, long lastOutcome) {
        public static final State NONE = new State(0, 0, 0);
    }

    private State state;

    public Silence(State state) {
        this.state = state;
    }

    public State state() {
        return state;
    }

    /** Permits in a row that brought no outcome. */
    public int inARow() {
        return state.silent();
    }

    public boolean nobodyDispatches() {
        return state.nextProbe() != 0;
    }

    public boolean probeIsDue(long now) {
        return nobodyDispatches() && now >= state.nextProbe();
    }

    public long nextProbe() {
        return state.nextProbe();
    }

    public void outcome(long now) {
        state = new State(0, 0, now);
    }

    public void silent(long now, int most, Duration pause) {
        int silent = Math.min(state.silent() + 1, most);
        long nextProbe = state.nextProbe();
        if (nextProbe == 0 && silent >= most) {
            nextProbe = now + pause.toNanos();
        }
        state = new State(silent, nextProbe, state.lastOutcome());
    }

    public void probed(long now, Duration pause) {
        state = new State(state.silent(), now + pause.toNanos(), state.lastOutcome());
    }

    /** Whether an outcome came since then: a permit of that time was lost on its own, not with its dispatcher. */
    public boolean heardSince(long time) {
        return state.lastOutcome() > time;
    }
}
