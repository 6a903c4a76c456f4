package dev.weir.throttler.upstream;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * What people have decided of an upstream.
 *
 * @param revision of the record that said so; 0 for the configuration file's own word
 */
public record Control(Mode mode, long revision) {
    /** As the configuration file says, before anyone changed it. */
    public static final Control SEEDED = new Control(Mode.RUNNING, 0);

    /** Whether permits are given. */
    public enum Mode {
        @JsonProperty("running")
        RUNNING,
        @JsonProperty("paused")
        PAUSED,
        /** It is configured no more: its jobs are kept, and not called. */
        @JsonProperty("removed")
        REMOVED
    }
}
