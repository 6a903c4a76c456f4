package dev.weir.throttler.topology;

import java.util.NoSuchElementException;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.jspecify.annotations.Nullable;

/** Pages of permits, read permit by permit, from one number to another, the last exclusive; in order. Not thread-safe. */
final class PermitPages implements KeyValueIterator<Bytes, byte[]> {
    private final KeyValueIterator<Bytes, byte[]> pages;
    private final long to;
    private long number;
    private @Nullable KeyValue<Bytes, byte[]> page;

    PermitPages(KeyValueIterator<Bytes, byte[]> pages, long from, long to) {
        this.pages = pages;
        this.to = to;
        this.number = from;
    }

    @Override
    public boolean hasNext() {
        return number < to && (page != null || pages.hasNext());
    }

    @Override
    public KeyValue<Bytes, byte[]> next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        KeyValue<Bytes, byte[]> open = page == null ? pages.next() : page;
        PermitRecord permit = PermitRecord.read(open.value, number);
        if (permit == null) {
            throw new IllegalStateException("permit " + number + " is missing in the store: the log has a hole");
        }
        page = PermitRecord.endsPage(number) ? null : open;
        number++;
        return KeyValue.pair(open.key, permit.bytes());
    }

    @Override
    public Bytes peekNextKey() {
        throw new UnsupportedOperationException("a permit has no key of its own");
    }

    @Override
    public void close() {
        pages.close();
    }
}
