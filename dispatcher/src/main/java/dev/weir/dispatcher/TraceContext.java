package dev.weir.dispatcher;

import java.util.HexFormat;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** W3C Trace Context, version 00: the {@code traceparent} of a call. */
final class TraceContext {
    private static final Pattern TRACEPARENT =
            Pattern.compile("00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})");
    private static final String NOT_SAMPLED = "00";

    private TraceContext() {}

    /** A new span of the parent's trace; of a new trace, not sampled, when there is no parent or it is unreadable. */
    static String child(@Nullable String parent, RandomGenerator random) {
        Matcher matcher = TRACEPARENT.matcher(parent == null ? "" : parent);
        HexFormat hex = HexFormat.of();
        if (matcher.matches()) {
            return "00-" + matcher.group(1) + "-" + hex.toHexDigits(nonZero(random)) + "-" + matcher.group(2);
        }
        return "00-" + hex.toHexDigits(random.nextLong()) + hex.toHexDigits(nonZero(random)) + "-"
                + hex.toHexDigits(nonZero(random)) + "-" + NOT_SAMPLED;
    }

    /** An id of zeros is no id. */
    private static long nonZero(RandomGenerator random) {
        return random.nextLong(1, Long.MAX_VALUE);
    }
}
