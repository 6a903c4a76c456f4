package dev.weir.ingress;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.UUID;
import java.util.random.RandomGenerator;

/** The ids of jobs, RFC 9562: by time and chance without a key, a function of (tenant, key) with one. */
final class JobIds {
    private static final long VERSION_7 = 0x7000L;
    private static final long VERSION_8 = 0x8000L;
    private static final long VERSION_MASK = 0xffff_ffff_ffff_0fffL;
    private static final long VARIANT = 0x8000_0000_0000_0000L;
    private static final long VARIANT_MASK = 0x3fff_ffff_ffff_ffffL;

    /** Only ever copied, which is far cheaper than asking the security providers for one. */
    private static final MessageDigest SHA_256 = newSha256();

    private JobIds() {}

    /** UUIDv7: ids sort by the time they were given. */
    static UUID fresh(Instant now, RandomGenerator random) {
        long high = (now.toEpochMilli() << 16) | VERSION_7 | (random.nextLong() & 0xfff);
        long low = VARIANT | (random.nextLong() & VARIANT_MASK);
        return new UUID(high, low);
    }

    /** UUIDv8 of the tenant and the key: a client's retry lands on the same job, on any ingress. */
    static UUID ofKey(String tenant, String key) {
        byte[] tenantBytes = tenant.getBytes(StandardCharsets.UTF_8);
        MessageDigest sha256 = sha256();
        // The length keeps ("ab", "c") and ("a", "bc") apart.
        sha256.update(
                ByteBuffer.allocate(Integer.BYTES).putInt(tenantBytes.length).array());
        sha256.update(tenantBytes);
        sha256.update(key.getBytes(StandardCharsets.UTF_8));
        ByteBuffer digest = ByteBuffer.wrap(sha256.digest());
        long high = (digest.getLong() & VERSION_MASK) | VERSION_8;
        long low = VARIANT | (digest.getLong() & VARIANT_MASK);
        return new UUID(high, low);
    }

    static MessageDigest sha256() {
        try {
            return (MessageDigest) SHA_256.clone();
        } catch (CloneNotSupportedException e) {
            return newSha256();
        }
    }

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
