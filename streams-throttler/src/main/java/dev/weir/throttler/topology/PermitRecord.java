package dev.weir.throttler.topology;

import java.nio.ByteBuffer;

/** A permit as it is kept: version, slot, arrival (epoch nanoseconds), cost; 21 bytes. */
record PermitRecord(long slot, long arrival, int cost) {
    private static final byte VERSION = 1;

    byte[] bytes() {
        return ByteBuffer.allocate(1 + 2 * Long.BYTES + Integer.BYTES)
                .put(VERSION)
                .putLong(slot)
                .putLong(arrival)
                .putInt(cost)
                .array();
    }

    static PermitRecord read(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        byte version = in.get();
        if (version != VERSION) {
            throw new IllegalStateException("a permit of version " + version + " was written by a newer Weir");
        }
        return new PermitRecord(in.getLong(), in.getLong(), in.getInt());
    }
}
