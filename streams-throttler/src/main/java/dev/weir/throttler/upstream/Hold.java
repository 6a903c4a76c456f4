package dev.weir.throttler.upstream;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The upstream's own word that it has enough: a 429, or a 503 with {@code Retry-After}, holds it until then; without a
 * {@code Retry-After}, for 1 s doubling to 60 s until an answer comes that is neither. Not thread-safe.
 */
public final class Hold {
    public static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);
    public static final Duration FIRST_BACKOFF = Duration.ofSeconds(1);
    public static final Duration LONGEST_BACKOFF = Duration.ofSeconds(60);

    /**
     * As it is kept.
     *
     * @param until epoch nanoseconds; 0 when it never was held
     * @param backoff the next wait without a Retry-After, nanoseconds
     */
    public record State(long until, long backoff) {
        public static final State NONE = new State(0, FIRST_BACKOFF.toNanos());
    }

    private State state;

    public Hold(State state) {
        this.state = state;
    }

    public State state() {
        return state;
    }

    public boolean holds(long now) {
        return now < state.until();
    }

    public long until() {
        return state.until();
    }

    /** The upstream pushed a call back. Several pushbacks of one moment back off once. */
    public void pushedBack(long now, @Nullable Duration retryAfter) {
        if (retryAfter != null) {
            Duration wait = retryAfter.compareTo(LONGEST_RETRY_AFTER) > 0 ? LONGEST_RETRY_AFTER : retryAfter;
            state = new State(Math.max(state.until(), now + wait.toNanos()), state.backoff());
        } else if (!holds(now)) {
            state = new State(now + state.backoff(), Math.min(state.backoff() * 2, LONGEST_BACKOFF.toNanos()));
        }
    }

    /** The upstream took a call. */
    public void accepted() {
        if (state.backoff() != FIRST_BACKOFF.toNanos()) {
            state = new State(state.until(), FIRST_BACKOFF.toNanos());
        }
    }
}
