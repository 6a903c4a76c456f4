package dev.weir.status.usage;

import java.time.Duration;

/** The widths of the windows that are kept. A day is told as its hours together. */
public enum Grain {
    MINUTE("usage-minutes", Duration.ofMinutes(1), Duration.ofDays(2)),
    HOUR("usage-hours", Duration.ofHours(1), Duration.ofDays(35));

    /** The stores' names begin so, and those of their segments. */
    public static final String STORES = "usage-";

    private final String store;
    private final Duration width;
    private final Duration kept;

    Grain(String store, Duration width, Duration kept) {
        this.store = store;
        this.width = width;
        this.kept = kept;
    }

    public String store() {
        return store;
    }

    public Duration width() {
        return width;
    }

    /** How long a window can be asked for; it leaves the disk at most half of that later. */
    public Duration kept() {
        return kept;
    }

    long start(long epochMs) {
        return Math.floorDiv(epochMs, width.toMillis()) * width.toMillis();
    }
}
