package dev.weir.contracts.access;

import dev.weir.contracts.config.ClientConfig;
import dev.weir.contracts.config.Clients;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * What one role of Weir shows another: derived from all API keys together, so that two roles with the same {@code clients}
 * know each other without a further secret, and no client can make one from its own key. Where no clients are configured
 * there is none, and roles on one machine need none.
 */
public final class PeerToken {
    private static final String ALGORITHM = "HmacSHA256";
    private static final byte[] PURPOSE = "weir: one role to another".getBytes(StandardCharsets.US_ASCII);

    private PeerToken() {}

    /** To be sent behind {@code Bearer}; null where no clients are configured. */
    public static @Nullable String of(Clients clients) {
        if (clients.isEmpty()) {
            return null;
        }
        List<byte[]> hashes = clients.list().stream()
                .map(ClientConfig::key)
                .map(key -> key.bytes())
                .sorted(Arrays::compareUnsigned)
                .toList();
        try {
            MessageDigest all = MessageDigest.getInstance("SHA-256");
            hashes.forEach(all::update);
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(all.digest(), ALGORITHM));
            return HexFormat.of().formatHex(mac.doFinal(PURPOSE));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has SHA-256 and " + ALGORITHM, e);
        }
    }
}
