package dev.weir.throttler.topology;

import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/** Neighbours in a lane. Those before the lane's head stay until the page goes. */
final class LanePage extends PageForm<LaneKey, LaneEntry> {
    private static final byte VERSION = 1;
    /** Set in the octet of an entry's place when the job came here first. */
    private static final int FIRST = ENTRIES;

    LanePage() {
        super(VERSION, "a page of a lane", LaneEntry[]::new);
    }

    @Override
    Bytes key(LaneKey lane, long page) {
        return Keys.lanePage(lane, page);
    }

    @Override
    void write(FormWriter out, int place, LaneEntry entry) {
        out.octet(place + (entry.first() ? FIRST : 0))
                .id(entry.jobId())
                .number(entry.cost())
                .instant(entry.acceptedAt());
    }

    @Override
    @Nullable
    LaneEntry[] entries(byte[] page) {
        @Nullable LaneEntry[] entries = none();
        FormReader in = reader(page);
        while (in.more()) {
            int octet = in.octet();
            entries[octet % ENTRIES] = new LaneEntry(in.id(), in.small(), in.instant(), octet >= FIRST);
        }
        return entries;
    }
}
