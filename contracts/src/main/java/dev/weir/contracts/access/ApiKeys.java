package dev.weir.contracts.access;

import dev.weir.contracts.config.ClientConfig;
import dev.weir.contracts.config.Clients;
import dev.weir.contracts.config.KeyHash;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The API keys of the configuration, as hashes. A key is found by its hash, which is then compared as a whole in constant
 * time: how long a lookup takes tells something of the hash of what was sent, and nothing of any key. Immutable.
 */
final class ApiKeys implements Credentials {
    private final Map<KeyHash, Caller> callers = new HashMap<>();

    ApiKeys(Clients clients) {
        for (ClientConfig client : clients.list()) {
            callers.put(client.key(), new Caller(client.tenant(), Set.of(client.role()), clients.tier(client.tier())));
        }
    }

    @Override
    public @Nullable Caller caller(String credential) {
        return KeyHash.canBeKey(credential) ? callers.get(KeyHash.of(credential)) : null;
    }
}
