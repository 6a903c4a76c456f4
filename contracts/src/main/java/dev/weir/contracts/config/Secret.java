package dev.weir.contracts.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A value that must appear in no log, topic, error, metric or page: its text form is three asterisks. One that comes from a
 * file follows the file when {@link #refresh} is called. Thread-safe.
 */
public final class Secret {
    /** A shorter one could be any word: taking it out of what upstreams answer would only garble the answers. */
    static final int SHORTEST_TRACE = 6;

    /** Reads the value anew. */
    interface Source {
        /** @throws UnusableSecretException when there is no value that could be used; its message shows none */
        Value read();
    }

    /** @param pieces the secrets in the text: the text may say more, such as {@code Bearer} before the token */
    record Value(String text, List<String> pieces) {
        Value {
            pieces = List.copyOf(pieces);
        }

        static Value of(String text) {
            return new Value(text, List.of(text));
        }
    }

    /** What looking at the files again has brought. */
    public enum Refresh {
        NOTHING_NEW,
        /** The next {@link #reveal} gives the new value. */
        CHANGED
    }

    private final @Nullable Source source;
    private volatile Value value;
    /** The one before, whose calls may still be open. */
    private volatile @Nullable Value before;
    /** Read once, and taken when it is read again: a file may be in the middle of being written. */
    private @Nullable Value candidate;

    public Secret(String value) {
        this(Value.of(Objects.requireNonNull(value)), null);
    }

    /** @param source null for a value that never changes */
    Secret(Value value, @Nullable Source source) {
        this.value = value;
        this.source = source;
    }

    /** The value itself, to be used at the last moment and kept nowhere. */
    public String reveal() {
        return value.text();
    }

    /** Whether it comes from a file, so that it can change. */
    public boolean followsAFile() {
        return source != null;
    }

    /**
     * Reads its files again. A new value counts when two calls in a row have read it.
     *
     * @throws UnusableSecretException when they hold no usable value; the one before stays
     */
    public synchronized Refresh refresh() {
        if (source == null) {
            return Refresh.NOTHING_NEW;
        }
        Value last = candidate;
        candidate = null;
        Value read = source.read();
        if (read.equals(value)) {
            return Refresh.NOTHING_NEW;
        }
        if (!read.equals(last)) {
            candidate = read;
            return Refresh.NOTHING_NEW;
        }
        before = value;
        value = read;
        return Refresh.CHANGED;
    }

    /** What must not be kept of an upstream's answer, should it repeat what it was sent; not for display. */
    public List<String> traces() {
        List<String> traces = new ArrayList<>();
        add(traces, value);
        Value old = before;
        if (old != null) {
            add(traces, old);
        }
        return traces;
    }

    private static void add(List<String> traces, Value of) {
        for (String piece : of.pieces()) {
            // "Bearer token": an upstream that complains repeats the token alone.
            String token = piece.substring(piece.lastIndexOf(' ') + 1);
            if (token.length() >= SHORTEST_TRACE) {
                traces.add(token);
            } else if (piece.length() >= SHORTEST_TRACE) {
                traces.add(piece);
            }
        }
    }

    @Override
    public String toString() {
        return "***";
    }
}
