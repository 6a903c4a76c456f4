package dev.weir.status;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** A place in a list as clients carry it: opaque, and good for the same list alone. */
final class Cursor {
    private static final String VERSION = "1";

    private Cursor() {}

    static String of(Listing.Place place, ListFilter filter) {
        String text = VERSION + ' ' + check(filter) + ' ' + place.epochMs() + ' ' + place.id();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Null when it is none, or one of another list. */
    static Listing.@Nullable Place read(String cursor, ListFilter filter) {
        try {
            String[] parts = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8).split(" ", -1);
            if (parts.length != 4 || !parts[0].equals(VERSION) || !parts[1].equals(check(filter))) {
                return null;
            }
            String id = JobLookup.canonical(parts[3]);
            long epochMs = Long.parseLong(parts[2]);
            return id == null || epochMs < 0 ? null : new Listing.Place(epochMs, id);
        } catch (IllegalArgumentException e) {
            return null;
        }
    }

    private static String check(ListFilter filter) {
        return Integer.toHexString(filter.query().hashCode());
    }
}
