package dev.weir.throttler.topology;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.jspecify.annotations.Nullable;

/**
 * Reads requests that are about to go out. Ids sort by time, so those that a long queue gives out one after the other stand close
 * together: to read on costs a third of looking for each. How far it reads on follows from how much of it was of use. Not
 * thread-safe.
 */
final class ReadAhead {
    /** Read on at most, in one go. */
    static final int MOST_AT_ONCE = 512;

    static final int MOST_BYTES_AT_ONCE = 512 * 1024;
    /** Kept at most, for all upstreams of the task. */
    static final int MOST_BYTES = 2 * 1024 * 1024;
    /** Where too little was of use, it is tried again after so many reads. */
    static final int TRY_EVERY = 8192;

    private static final int FEWEST_AT_ONCE = 8;
    /** So many that were used or let go say whether it is worth it. */
    private static final int ENOUGH_TO_JUDGE = 256;

    private final StoreWrites jobs;
    private final Map<Bytes, byte[]> ahead = new LinkedHashMap<>();
    private int bytes;
    private int atOnce = FEWEST_AT_ONCE;
    /** Since it was judged last: read on and then asked for, and for nothing. */
    private int used;

    private int unused;
    private int untilTry;

    ReadAhead(StoreWrites jobs) {
        this.jobs = jobs;
    }

    byte @Nullable [] get(Bytes key) {
        byte[] known = ahead.remove(key);
        if (known != null) {
            bytes -= known.length;
            used++;
            return known;
        }
        if (atOnce == 0 && --untilTry > 0) {
            return jobs.get(key);
        }
        judge();
        return atOnce == 0 ? jobs.get(key) : readFrom(key);
    }

    /** It is another, or gone. */
    void changed(Bytes key) {
        byte[] known = ahead.remove(key);
        if (known != null) {
            bytes -= known.length;
        }
    }

    /** Of what is kept. */
    int bytes() {
        return bytes;
    }

    /** Twice as far when more than half was of use, and half as far, in the end not at all, when it was not. */
    private void judge() {
        if (atOnce == 0) {
            atOnce = FEWEST_AT_ONCE;
        } else if (used + unused >= ENOUGH_TO_JUDGE) {
            if (used > unused) {
                atOnce = Math.min(MOST_AT_ONCE, 2 * atOnce);
            } else {
                atOnce /= 2;
                if (atOnce < FEWEST_AT_ONCE) {
                    atOnce = 0;
                    untilTry = TRY_EVERY;
                    ahead.clear();
                    bytes = 0;
                }
            }
            used = 0;
            unused = 0;
        }
    }

    private byte @Nullable [] readFrom(Bytes key) {
        byte[] wanted = null;
        int read = 0;
        try (KeyValueIterator<Bytes, byte[]> requests = jobs.range(key, Keys.end(Keys.REQUEST))) {
            for (int n = 0; n <= atOnce && read < MOST_BYTES_AT_ONCE && requests.hasNext(); n++) {
                KeyValue<Bytes, byte[]> next = requests.next();
                read += next.value.length;
                if (n == 0) {
                    if (!next.key.equals(key)) {
                        return null;
                    }
                    wanted = next.value;
                } else if (JobForm.hasEnded(next.value)) {
                    unused++;
                } else {
                    keep(next.key, next.value);
                }
            }
        }
        return wanted;
    }

    private void keep(Bytes key, byte[] request) {
        byte[] before = ahead.put(key, request);
        bytes += request.length - (before == null ? 0 : before.length);
        if (bytes <= MOST_BYTES) {
            return;
        }
        for (Iterator<byte[]> oldest = ahead.values().iterator(); bytes > MOST_BYTES && oldest.hasNext(); ) {
            bytes -= oldest.next().length;
            oldest.remove();
            unused++;
        }
    }
}
