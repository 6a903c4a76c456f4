package dev.weir.ingress;

import dev.weir.contracts.kafka.Topics;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;

/** The ids of jobs, RFC 9562: by time and chance without a key, a function of (tenant, key) with one. */
final class JobIds {
    private static final long VERSION_7 = 0x7000L;
    private static final long VERSION_8 = 0x8000L;
    private static final long VERSION_MASK = 0xffff_ffff_ffff_0fffL;
    private static final long VARIANT = 0x8000_0000_0000_0000L;
    private static final long VARIANT_MASK = 0x3fff_ffff_ffff_ffffL;

    /** Long beside the time that one batch takes, short beside what a client or the status service would notice. */
    private static final long PARTITION_STAYS_MS = 20;
    /** By chance, so that not all ingresses write to the same partition at the same time. */
    private static final int FIRST_PARTITION = ThreadLocalRandom.current().nextInt(Topics.JOB_PARTITIONS);
    /** One in eight falls into the partition; one id in 5,000 takes none of so many, and goes where it falls. */
    private static final int MAX_TURNS = 64;

    /** Only ever copied, which is far cheaper than asking the security providers for one. */
    private static final MessageDigest SHA_256 = newSha256();

    private JobIds() {}

    /**
     * UUIDv7: ids sort by the time they were given. Those of the same few milliseconds fall into one partition of the topics
     * with jobs for keys, and the next ones into the next: what is written at once goes in one batch, not in one for each
     * partition.
     */
    static UUID fresh(Instant now, RandomGenerator random) {
        long millis = now.toEpochMilli();
        long high = (millis << 16) | VERSION_7 | (random.nextLong() & 0xfff);
        long chance = random.nextLong();
        int partition = Math.floorMod(millis / PARTITION_STAYS_MS + FIRST_PARTITION, Topics.JOB_PARTITIONS);
        UUID id = new UUID(high, VARIANT | (chance & VARIANT_MASK));
        for (int turn = 1;
                turn < MAX_TURNS && Topics.partitionOf(id.toString(), Topics.JOB_PARTITIONS) != partition;
                turn++) {
            id = new UUID(high, VARIANT | ((chance + turn) & VARIANT_MASK));
        }
        return id;
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
