package dev.weir.throttler.topology;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * Entries by owner and number, in records of {@link PageForm#ENTRIES} neighbours each. What was used lately is held as objects.
 * Not thread-safe.
 *
 * @param <O> whose they are
 */
final class Pages<O, T> {
    private final HeadWrites heads;
    private final PageForm<O, T> form;
    private final int most;
    /** The one that was not looked for the longest time comes first. */
    private final Map<At<O>, Page> recent = new LinkedHashMap<>(16, 0.75f, true);
    /** Neighbours come one after the other. */
    private @Nullable Page last;

    private record At<O>(O owner, long page) {}

    private final class Page extends HeadWrites.Head {
        final At<O> at;
        final @Nullable T[] entries;
        /** Whoever adds to it without looking for it. */
        private @Nullable End end;
        /** Their bytes, as long as they only came one after the other: written when they came, while they are at hand. */
        private @Nullable FormWriter appended;

        Page(At<O> at, @Nullable T[] entries, boolean isNew) {
            this.at = at;
            this.entries = entries;
            this.appended = isNew ? form.begin(new FormWriter()) : null;
        }

        void append(int place, T entry) {
            entries[place] = entry;
            if (appended != null) {
                form.write(appended, place, entry);
            }
            heads.changed(this);
        }

        void set(int place, @Nullable T entry) {
            entries[place] = entry;
            appended = null;
            heads.changed(this);
        }

        void clear() {
            Arrays.fill(entries, null);
            appended = null;
            heads.changed(this);
        }

        @Override
        Bytes key() {
            return form.key(at.owner(), at.page());
        }

        @Override
        byte @Nullable [] bytes() {
            return appended == null ? form.bytes(entries) : appended.bytes();
        }
    }

    /** The end of one owner's entries, for the one who adds one after the other: its page is looked for once. */
    final class End {
        private final O owner;
        private @Nullable Page page;

        private End(O owner) {
            this.owner = owner;
        }

        /** The owner never had an entry of this number or a higher one. */
        void add(long number, T entry) {
            Page at = page;
            if (at == null || at.at.page() != PageForm.page(number)) {
                at = page(owner, number, PageForm.beginsPage(number));
                at.end = this;
                page = at;
            }
            at.append(PageForm.place(number), entry);
        }
    }

    /** @param most pages that are held as objects; what is held for long costs the garbage collector more than it saves */
    Pages(HeadWrites heads, PageForm<O, T> form, int most) {
        this.heads = heads;
        this.form = form;
        this.most = most;
    }

    @Nullable
    T get(O owner, long number) {
        return page(owner, number, false).entries[PageForm.place(number)];
    }

    /** The entry of this number and those that follow it without a gap on its page; empty when it is not there. */
    List<T> from(O owner, long number) {
        @Nullable T[] entries = page(owner, number, false).entries;
        List<T> following = new ArrayList<>(PageForm.ENTRIES);
        for (int place = PageForm.place(number); place < PageForm.ENTRIES; place++) {
            T entry = entries[place];
            if (entry == null) {
                break;
            }
            following.add(entry);
        }
        return following;
    }

    void put(O owner, long number, T entry) {
        page(owner, number, false).set(PageForm.place(number), entry);
    }

    /** Where an owner's entries end; the one before is not used any more. */
    End end(O owner) {
        return new End(owner);
    }

    /** The owner never had an entry of this number or a higher one: a page that begins with it is new. */
    void add(O owner, long number, T entry) {
        page(owner, number, PageForm.beginsPage(number)).append(PageForm.place(number), entry);
    }

    void remove(O owner, long number) {
        page(owner, number, false).set(PageForm.place(number), null);
    }

    /** Removes all that stand on this number's page. */
    void removePage(O owner, long number) {
        page(owner, number, true).clear();
    }

    /** @param isNew whether what the store has does not matter */
    private Page page(O owner, long number, boolean isNew) {
        long of = PageForm.page(number);
        Page page = last;
        if (page != null && page.at.page() == of && page.at.owner().equals(owner)) {
            return page;
        }
        At<O> at = new At<>(owner, of);
        page = recent.get(at);
        if (page == null) {
            page = new Page(at, isNew ? form.none() : written(at), isNew);
            if (recent.size() >= most) {
                forgetOne();
            }
            recent.put(at, page);
        }
        last = page;
        return page;
    }

    private @Nullable T[] written(At<O> at) {
        byte[] bytes = heads.written(form.key(at.owner(), at.page()));
        return bytes == null ? form.none() : form.entries(bytes);
    }

    private void forgetOne() {
        Iterator<Page> pages = recent.values().iterator();
        Page oldest = pages.next();
        if (oldest.isChanged()) {
            heads.flush();
        }
        pages.remove();
        if (oldest.end != null) {
            oldest.end.page = null;
        }
    }
}
