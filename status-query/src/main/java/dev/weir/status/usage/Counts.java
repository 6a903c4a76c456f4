package dev.weir.status.usage;

import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;

/**
 * What happened within one window.
 *
 * @param accepted jobs by when they were accepted
 * @param released permits by their slots
 * @param cost what those permits spent
 * @param succeeded jobs by when they ended, and so for the three that follow
 */
public record Counts(long accepted, long released, long cost, long succeeded, long dead, long cancelled, long expired) {
    public static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0);

    static final Counts ACCEPTED = new Counts(1, 0, 0, 0, 0, 0, 0);

    static Counts released(JobEvent event) {
        return new Counts(0, 1, event.cost(), 0, 0, 0, 0);
    }

    static Counts ended(JobStatus end) {
        return new Counts(
                0,
                0,
                0,
                end == JobStatus.SUCCEEDED ? 1 : 0,
                end == JobStatus.DEAD ? 1 : 0,
                end == JobStatus.CANCELLED ? 1 : 0,
                end == JobStatus.EXPIRED ? 1 : 0);
    }

    public Counts plus(Counts more) {
        return new Counts(
                accepted + more.accepted,
                released + more.released,
                cost + more.cost,
                succeeded + more.succeeded,
                dead + more.dead,
                cancelled + more.cancelled,
                expired + more.expired);
    }
}
