package dev.weir.throttler.topology;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A permit as it is kept: slot and arrival in epoch nanoseconds, and cost; 20 bytes. Neighbours stand in one record, so that a
 * burst of permits between two commits costs one write for so many, and a restart reads as many fewer records.
 */
record PermitRecord(long slot, long arrival, int cost) {
    private static final byte VERSION = 1;
    private static final int BYTES = 2 * Long.BYTES + Integer.BYTES;

    /** The page with this permit on it. */
    byte[] on(byte @Nullable [] page, long number) {
        int end = 1 + (PageForm.place(number) + 1) * BYTES;
        byte[] out = page == null ? new byte[end] : Arrays.copyOf(page, Math.max(page.length, end));
        out[0] = VERSION;
        ByteBuffer.wrap(out, end - BYTES, BYTES).putLong(slot).putLong(arrival).putInt(cost);
        return out;
    }

    /** Null when the page does not reach so far. */
    static @Nullable PermitRecord read(byte[] page, long number) {
        if (page[0] != VERSION) {
            throw new IllegalStateException(
                    "permits of version " + page[0] + " stand in the store; this Weir reads version " + VERSION
                            + " only: start the one that wrote them, or a newer one");
        }
        int start = 1 + PageForm.place(number) * BYTES;
        if (start + BYTES > page.length) {
            return null;
        }
        ByteBuffer in = ByteBuffer.wrap(page, start, BYTES);
        return new PermitRecord(in.getLong(), in.getLong(), in.getInt());
    }
}
