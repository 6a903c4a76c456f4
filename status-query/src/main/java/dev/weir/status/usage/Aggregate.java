package dev.weir.status.usage;

import java.nio.ByteBuffer;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * What is stored of one window, tenant and upstream.
 *
 * @param offset of the newest event that was counted. Events come to a store in the order of their offsets, so one that is
 *     read again after a crash is told by it, and nothing is counted twice without a transaction
 */
record Aggregate(Counts counts, long offset) {
    private static final byte VERSION = 1;
    private static final int BYTES = 1 + 8 * Long.BYTES;

    static Serde<Aggregate> serde() {
        return Serdes.serdeFrom(
                (topic, value) -> value == null ? null : bytes(value),
                (topic, bytes) -> bytes == null ? null : read(bytes));
    }

    private static byte[] bytes(Aggregate value) {
        Counts counts = value.counts;
        return ByteBuffer.allocate(BYTES)
                .put(VERSION)
                .putLong(value.offset)
                .putLong(counts.accepted())
                .putLong(counts.released())
                .putLong(counts.cost())
                .putLong(counts.succeeded())
                .putLong(counts.dead())
                .putLong(counts.cancelled())
                .putLong(counts.expired())
                .array();
    }

    private static Aggregate read(byte[] bytes) {
        if (bytes.length != BYTES || bytes[0] != VERSION) {
            throw new SerializationException("not a readable usage aggregate: " + bytes.length + " bytes, version "
                    + (bytes.length == 0 ? "?" : bytes[0]));
        }
        ByteBuffer from = ByteBuffer.wrap(bytes, 1, BYTES - 1);
        long offset = from.getLong();
        return new Aggregate(
                new Counts(
                        from.getLong(),
                        from.getLong(),
                        from.getLong(),
                        from.getLong(),
                        from.getLong(),
                        from.getLong(),
                        from.getLong()),
                offset);
    }
}
