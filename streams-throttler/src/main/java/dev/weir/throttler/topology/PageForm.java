package dev.weir.throttler.topology;

import java.util.Arrays;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Neighbours by number, kept in one record: what changes among them between two commits costs one write. After the version, entries
 * stand in any order, each after an octet with its place on the page.
 */
final class PageForm {
    /** On a page; more in an entry's first octet is the entry's own. */
    static final int ENTRIES = 16;

    private final byte version;
    private final String what;
    private final Consumer<FormReader> skip;

    /**
     * @param what the pages are, for a person
     * @param skip passes over an entry behind its first octet
     */
    PageForm(byte version, String what, Consumer<FormReader> skip) {
        this.version = version;
        this.what = what;
        this.skip = skip;
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

    FormReader reader(byte[] page) {
        return new FormReader(page, version, what);
    }

    /** Stands at an entry's first octet; null when it is not on the page. */
    @Nullable
    FormReader at(byte[] page, long number) {
        FormReader in = reader(page);
        while (in.more()) {
            if (in.peek() % ENTRIES == place(number)) {
                return in;
            }
            in.octet();
            skip.accept(in);
        }
        return null;
    }

    /** The page with an entry more, which is to be written now from its first octet on; one of the same number is gone. */
    FormWriter with(byte @Nullable [] page, long number) {
        byte[] others = page == null ? null : without(page, number);
        return others == null ? new FormWriter(version) : new FormWriter(others);
    }

    /** The page without an entry; null when nothing else is on it. */
    byte @Nullable [] without(byte[] page, long number) {
        FormReader in = at(page, number);
        if (in == null) {
            return page;
        }
        int start = in.position();
        in.octet();
        skip.accept(in);
        int end = in.position();
        if (start == 1 && end == page.length) {
            return null;
        }
        byte[] out = Arrays.copyOf(page, page.length - (end - start));
        System.arraycopy(page, end, out, start, page.length - end);
        return out;
    }
}
