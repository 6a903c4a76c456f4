package dev.weir.contracts.config;

import java.util.Locale;

/** What a client is there for; {@code dev.weir.contracts.access.AccessRules} says what each may do. */
public enum ClientRole {
    /** Submits jobs, and sees and cancels those of its tenant. */
    PRODUCER,
    /** Runs Weir: changes, pauses and resumes upstreams, sees and cancels every job. */
    OPERATOR,
    /** Sees everything, changes nothing. */
    ANALYST;

    /** As it stands in the configuration. */
    public String text() {
        return name().toLowerCase(Locale.ROOT);
    }
}
