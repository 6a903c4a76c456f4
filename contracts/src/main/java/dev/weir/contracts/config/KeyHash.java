package dev.weir.contracts.config;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * An API key as Weir keeps it: its SHA-256. Keys are long and drawn by chance, so a hash that is quick to compute gives nobody
 * a way to guess them. Compared in constant time; shows nothing of itself.
 */
public final class KeyHash {
    /** Shorter ones can be guessed. */
    public static final int SHORTEST_SAFE_KEY = 16;

    public static final int LONGEST_KEY = 256;

    private final byte[] sha256;

    private KeyHash(byte[] sha256) {
        this.sha256 = sha256;
    }

    public static KeyHash of(String key) {
        try {
            return new KeyHash(MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }

    /** Whether a text can be sent as a key at all: 1 to {@link #LONGEST_KEY} visible ASCII characters. */
    public static boolean canBeKey(String text) {
        return !text.isEmpty() && text.length() <= LONGEST_KEY && text.chars().allMatch(c -> c > ' ' && c < 0x7f);
    }

    /** The hash itself, a copy. */
    public byte[] bytes() {
        return sha256.clone();
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof KeyHash hash && MessageDigest.isEqual(sha256, hash.sha256);
    }

    @Override
    public int hashCode() {
        return ByteBuffer.wrap(sha256).getInt();
    }

    @Override
    public String toString() {
        return "***";
    }
}
