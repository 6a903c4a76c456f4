package dev.weir.contracts.config;

import java.util.Objects;

/** A value that must appear in no log, topic, error, metric or page: its text form is three asterisks. */
public final class Secret {
    private final String value;

    public Secret(String value) {
        this.value = Objects.requireNonNull(value);
    }

    /** The value itself, to be used at the last moment and kept nowhere. */
    public String reveal() {
        return value;
    }

    @Override
    public String toString() {
        return "***";
    }
}
