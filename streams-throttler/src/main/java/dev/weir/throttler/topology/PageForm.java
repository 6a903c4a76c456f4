package dev.weir.throttler.topology;

import java.util.function.IntFunction;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * How neighbours by number are kept in one record: what changes among them between two commits costs one write. After the version
 * stand the entries.
 *
 * @param <O> whose they are
 */
abstract class PageForm<O, T> {
    /** On a page. */
    static final int ENTRIES = 16;

    private final byte version;
    private final String what;
    private final IntFunction<@Nullable T[]> arrays;
    private final FormWriter writer = new FormWriter();

    /**
     * @param what the pages are, for a person
     * @param arrays makes an array of so many
     */
    PageForm(byte version, String what, IntFunction<@Nullable T[]> arrays) {
        this.version = version;
        this.what = what;
        this.arrays = arrays;
    }

    abstract Bytes key(O owner, long page);

    abstract void write(FormWriter out, int place, T entry);

    /** The entries that were written, by their places. */
    abstract @Nullable T[] entries(byte[] page);

    final @Nullable T[] none() {
        return arrays.apply(ENTRIES);
    }

    /** Null when there is none. */
    final byte @Nullable [] bytes(@Nullable T[] entries) {
        begin(writer);
        boolean any = false;
        for (int place = 0; place < ENTRIES; place++) {
            T entry = entries[place];
            if (entry != null) {
                any = true;
                write(writer, place, entry);
            }
        }
        return any ? writer.bytes() : null;
    }

    /** Begins a page with nothing on it. */
    final FormWriter begin(FormWriter page) {
        return page.begin(version);
    }

    final FormReader reader(byte[] page) {
        return new FormReader(page, version, what);
    }

    static long page(long number) {
        return Math.floorDiv(number, (long) ENTRIES);
    }

    static int place(long number) {
        return Math.floorMod(number, ENTRIES);
    }

    static boolean beginsPage(long number) {
        return place(number) == 0;
    }

    /** Whether nothing comes after this number on its page. */
    static boolean endsPage(long number) {
        return place(number) == ENTRIES - 1;
    }
}
