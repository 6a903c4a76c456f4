package dev.weir.throttler.upstream;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.weir.contracts.config.CircuitBreakerSettings;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/**
 * One circuit breaker for the whole upstream, driven by outcomes. Closed releases at pace; so many failures in a row open it:
 * nothing goes; after {@code open} so many probes go out, and when all of them succeed it closes; one that fails opens it
 * again. Not thread-safe.
 */
public final class CircuitBreaker {
    /** What it is. */
    public enum Phase {
        @JsonProperty("closed")
        CLOSED("closed"),
        @JsonProperty("open")
        OPEN("open"),
        @JsonProperty("half-open")
        HALF_OPEN("half-open");

        private final String text;

        Phase(String text) {
            this.text = text;
        }

        public String text() {
            return text;
        }
    }

    /**
     * As it is kept.
     *
     * @param openUntil epoch nanoseconds
     * @param probes permits out as probes; outcomes of others say nothing about a half-open circuit
     */
    public record State(Phase phase, int failures, long openUntil, Set<Long> probes, int probesGood) {
        public static final State CLOSED = new State(Phase.CLOSED, 0, 0, Set.of(), 0);

        public State {
            probes = Set.copyOf(probes);
        }
    }

    private CircuitBreakerSettings settings;
    private State state;

    public CircuitBreaker(CircuitBreakerSettings settings, State state) {
        this.settings = settings;
        this.state = state;
    }

    /** From now on; what it is now stays, but a half-open one closes when so many probes were good already. */
    public void configure(CircuitBreakerSettings newSettings) {
        settings = newSettings;
        if (state.phase() == Phase.HALF_OPEN && state.probesGood() >= settings.probes()) {
            state = State.CLOSED;
        }
    }

    public State state() {
        return state;
    }

    public Phase phase() {
        return state.phase();
    }

    public long openUntil() {
        return state.openUntil();
    }

    /** Whether it lets a permit go now. */
    public boolean admits(long now) {
        if (state.phase() == Phase.OPEN && now >= state.openUntil()) {
            state = new State(Phase.HALF_OPEN, 0, state.openUntil(), Set.of(), 0);
        }
        return switch (state.phase()) {
            case CLOSED -> true;
            case OPEN -> false;
            case HALF_OPEN -> state.probes().size() + state.probesGood() < settings.probes();
        };
    }

    /** A permit went out. */
    public void released(long permit) {
        if (state.phase() == Phase.HALF_OPEN) {
            Set<Long> probes = new HashSet<>(state.probes());
            probes.add(permit);
            state = probes(probes, state.probesGood());
        }
    }

    /** The upstream answered, and not with a failure of its own. */
    public void succeeded(long permit) {
        if (state.phase() == Phase.CLOSED) {
            state = State.CLOSED;
        } else if (isProbe(permit)) {
            state = probes(without(permit), state.probesGood() + 1);
            if (state.probesGood() >= settings.probes()) {
                state = State.CLOSED;
            }
        }
    }

    /** The call failed. */
    public void failed(long permit, long now) {
        if (state.phase() == Phase.CLOSED) {
            state = new State(Phase.CLOSED, state.failures() + 1, 0, Set.of(), 0);
            if (state.failures() >= settings.failures()) {
                open(now);
            }
        } else if (isProbe(permit)) {
            open(now);
        }
    }

    /** The permit says nothing about the upstream: handed back, pushed back, in doubt. Another probe may take its place. */
    public void saidNothing(long permit) {
        if (isProbe(permit)) {
            state = probes(without(permit), state.probesGood());
        }
    }

    private boolean isProbe(long permit) {
        return state.phase() == Phase.HALF_OPEN && state.probes().contains(permit);
    }

    private void open(long now) {
        Duration open = settings.open();
        state = new State(Phase.OPEN, 0, now + open.toNanos(), Set.of(), 0);
    }

    private State probes(Set<Long> out, int good) {
        return new State(state.phase(), 0, state.openUntil(), out, good);
    }

    private Set<Long> without(long permit) {
        Set<Long> probes = new HashSet<>(state.probes());
        probes.remove(permit);
        return probes;
    }
}
