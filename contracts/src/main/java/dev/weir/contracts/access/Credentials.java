package dev.weir.contracts.access;

import org.jspecify.annotations.Nullable;

/**
 * Tells from a credential who is calling. API keys of the configuration are one such; keys that are made at run time and
 * signed tokens would be others. Implementations are thread-safe, never block, and take the same time for every credential
 * that they do not know.
 */
public interface Credentials {
    /**
     * Who a credential belongs to; null when it is not known.
     *
     * @param credential what stood behind {@code Bearer}, or in {@code X-API-Key}
     */
    @Nullable
    Caller caller(String credential);
}
