package dev.weir.throttler.quota;

/**
 * The earliest moment for the next permit, and what sets it.
 *
 * @param at epoch nanoseconds
 * @param heldBy a window as {@code PT1M}, {@code pace}, or {@link #NOTHING} when it may go as soon as it can
 */
public record Slot(long at, String heldBy) {
    public static final String NOTHING = "now";
    public static final String PACE = "pace";
}
