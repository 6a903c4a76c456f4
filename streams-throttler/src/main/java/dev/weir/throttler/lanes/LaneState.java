package dev.weir.throttler.lanes;

/**
 * A lane as it is kept.
 *
 * @param head the number of the job that leaves next, or of one that was taken out before it
 * @param tail the number that the next arrival gets
 * @param jobs how many stand in it; fewer than {@code tail - head} when some were taken out of the middle
 * @param cost permits that they need together
 * @param finish virtual finish time of the head job
 */
public record LaneState(int v, LaneKey key, long head, long tail, long jobs, long cost, double finish) {
    public static final int VERSION = 1;
}
