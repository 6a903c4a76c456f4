package dev.weir.throttler.topology;

import dev.weir.throttler.lanes.LaneEntry;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Neighbours in a lane. Those before the lane's head stay until the page goes. */
final class LanePage {
    /** Set in the octet of an entry's place when the job came here first. */
    private static final int FIRST = PageForm.ENTRIES;

    private static final byte VERSION = 1;
    private static final PageForm FORM = new PageForm(VERSION, "a page of a lane", in -> {
        in.skipId();
        in.number();
        in.signed();
        in.number();
    });

    private LanePage() {}

    static byte[] with(byte @Nullable [] page, long number, LaneEntry entry) {
        return FORM.with(page, number)
                .octet(PageForm.place(number) + (entry.first() ? FIRST : 0))
                .id(entry.jobId())
                .number(entry.cost())
                .instant(entry.acceptedAt())
                .bytes();
    }

    static @Nullable LaneEntry entry(byte[] page, long number) {
        FormReader in = FORM.at(page, number);
        return in == null ? null : read(in, in.octet());
    }

    /** The entry of this number and those that follow it without a gap. */
    static List<LaneEntry> entries(byte[] page, long number) {
        @Nullable LaneEntry[] byPlace = new @Nullable LaneEntry[PageForm.ENTRIES];
        FormReader in = FORM.reader(page);
        while (in.more()) {
            int place = in.octet();
            byPlace[place % PageForm.ENTRIES] = read(in, place);
        }
        List<LaneEntry> entries = new ArrayList<>();
        for (int place = PageForm.place(number); place < PageForm.ENTRIES; place++) {
            LaneEntry entry = byPlace[place];
            if (entry == null) {
                break;
            }
            entries.add(entry);
        }
        return entries;
    }

    private static LaneEntry read(FormReader in, int place) {
        return new LaneEntry(in.id(), in.small(), in.instant(), place >= FIRST);
    }

    static byte @Nullable [] without(byte[] page, long number) {
        return FORM.without(page, number);
    }
}
