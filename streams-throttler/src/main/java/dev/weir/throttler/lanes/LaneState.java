package dev.weir.throttler.lanes;

/**
 * A lane as it is kept.
 *
 * @param head the number of the job that leaves next, or of one that was taken out before it
 * @param tail the number that the next arrival gets
 * @param jobs how many stand in it; fewer than {@code tail - head} when some were taken out of the middle
 * @param cost permits that they need together
 * @param headCost the count of cost at the head, as {@code head} is the count of jobs
 * @param tailCost the same at the tail
 * @param finish virtual finish time of the head job
 */
public record LaneState(
        int v, LaneKey key, long head, long tail, long jobs, long cost, long headCost, long tailCost, double finish) {
    public static final int VERSION = 1;
}
