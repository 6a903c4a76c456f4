package dev.weir.throttler.topology;

import dev.weir.throttler.lanes.LaneEntry;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Neighbours in a lane, kept in one record: what a burst puts into a lane between two commits costs one write for so many jobs.
 * Entries stand in any order, each after its place on the page. Those before the lane's head stay until the page goes.
 */
final class LanePage {
    static final int ENTRIES = 16;

    private static final byte VERSION = 1;
    /** Set in the octet of an entry's place when the job came here first. */
    private static final int FIRST = ENTRIES;

    private LanePage() {}

    static long page(long number) {
        return Math.floorDiv(number, (long) ENTRIES);
    }

    /** Whether nothing comes after this number on its page. */
    static boolean endsPage(long number) {
        return place(number) == ENTRIES - 1;
    }

    static byte[] with(byte @Nullable [] page, long number, LaneEntry entry) {
        byte[] others = page == null ? null : without(page, number);
        FormWriter out = others == null ? new FormWriter(VERSION) : new FormWriter(others);
        return out.octet(place(number) + (entry.first() ? FIRST : 0))
                .id(entry.jobId())
                .number(entry.cost())
                .instant(entry.acceptedAt())
                .bytes();
    }

    static @Nullable LaneEntry entry(byte[] page, long number) {
        FormReader in = reader(page);
        while (in.more()) {
            int place = in.octet();
            if (place % ENTRIES == place(number)) {
                return new LaneEntry(in.id(), in.small(), in.instant(), place >= FIRST);
            }
            skip(in);
        }
        return null;
    }

    /** The page without an entry; null when nothing else is on it. */
    static byte @Nullable [] without(byte[] page, long number) {
        FormReader in = reader(page);
        int first = in.position();
        while (in.more()) {
            int start = in.position();
            int place = in.octet() % ENTRIES;
            skip(in);
            int end = in.position();
            if (place == place(number)) {
                if (start == first && !in.more()) {
                    return null;
                }
                byte[] out = Arrays.copyOf(page, page.length - (end - start));
                System.arraycopy(page, end, out, start, page.length - end);
                return out;
            }
        }
        return page;
    }

    private static void skip(FormReader in) {
        in.skipId();
        in.number();
        in.signed();
        in.number();
    }

    private static FormReader reader(byte[] page) {
        return new FormReader(page, VERSION, "a page of a lane");
    }

    private static int place(long number) {
        return Math.floorMod(number, ENTRIES);
    }
}
