package dev.weir.throttler.topology;

import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * Neighbours in an upstream's permit log, 20 bytes each: where one stands says which it is. A burst of permits between
 * two commits costs one write for so many, and a restart reads as many fewer records.
 */
final class PermitPage extends PageForm<String, PermitPage.Permit> {
    private static final byte VERSION = 1;
    private static final int VERSION_BYTES = 1;
    private static final int BYTES = 2 * Long.BYTES + Integer.BYTES;

    /** A permit as it is kept: slot and arrival in epoch nanoseconds. */
    record Permit(long slot, long arrival, int cost) {}

    PermitPage() {
        super(VERSION, "a page of permits", Permit[]::new);
    }

    @Override
    Bytes key(String upstream, long page) {
        return Keys.permitPage(upstream, page);
    }

    @Override
    void write(FormWriter out, int place, Permit permit) {
        while (out.length() < VERSION_BYTES + place * BYTES) {
            // What stood there was forgotten: nobody reads it.
            out.octet(0);
        }
        out.fixedLong(permit.slot()).fixedLong(permit.arrival()).fixedInt(permit.cost());
    }

    @Override
    @Nullable
    Permit[] entries(byte[] page) {
        @Nullable Permit[] permits = none();
        FormReader in = reader(page);
        for (int place = 0; in.more(); place++) {
            permits[place] = new Permit(in.fixedLong(), in.fixedLong(), in.fixedInt());
        }
        return permits;
    }
}
