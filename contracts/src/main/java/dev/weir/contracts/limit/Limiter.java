package dev.weir.contracts.limit;

import dev.weir.contracts.config.Tier;

/**
 * Decides who may go on. Implementations are thread-safe, never block, and take well under a microsecond: one for a whole
 * fleet would take its share from elsewhere ahead of time and decide here.
 */
public interface Limiter {
    /** What a quota is counted for. */
    enum Kind {
        TENANT,
        /** Of a caller without a valid key. */
        ADDRESS
    }

    /** Whose quota it is. */
    record Holder(Kind kind, String name) {}

    /**
     * Takes so many permits, all or none.
     *
     * @param tier of which the holder has a quota of its own
     * @param permits 0 to look only
     */
    Decision take(Holder holder, Tier tier, int permits);
}
