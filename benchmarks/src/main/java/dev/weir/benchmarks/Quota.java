package dev.weir.benchmarks;

import dev.weir.throttler.quota.QuotaWindow;
import java.time.Duration;
import java.util.List;

/** The quota that the decisions are measured under: 1,000 a minute, 50,000 an hour, 500,000 a day, nine tenths of each used. */
final class Quota {
    static final String UPSTREAM = "gemini";
    static final int BURST = 15;
    /** Permits in a day. */
    static final int DAY = 450_000;

    static final List<QuotaWindow> WINDOWS = List.of(
            new QuotaWindow(Duration.ofMinutes(1), 1000, 900),
            new QuotaWindow(Duration.ofHours(1), 50_000, 45_000),
            new QuotaWindow(Duration.ofDays(1), 500_000, DAY));

    /** The pace that can be kept for ever. */
    static final long STEP_NS = Duration.ofDays(1).toNanos() / DAY;

    private Quota() {}

    static String tenant(int number) {
        return "tenant-" + number;
    }
}
