package dev.weir.throttler.upstream;

import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.Slot;

/**
 * The throttle's own recurrence, run forward: one permit after the other, each as soon as it may. It writes to the log that it
 * is given, so that is a copy. Times are epoch nanoseconds. Not thread-safe.
 */
public final class ForwardRun {
    /** Keeps the log from growing beyond the longest window. */
    private static final int FORGET_PER_PERMIT = 4;

    private final PermitLog log;
    private final long arrivalLagNs;
    private final long gapNs;
    private long from;

    /**
     * @param notBefore the first permit does not go before
     * @param arrivalLagNs from a permit's slot until its call has arrived
     * @param gapNs permits come no closer together, because calls would be open that may not
     */
    public ForwardRun(PermitLog log, long notBefore, long arrivalLagNs, long gapNs) {
        this.log = log;
        this.from = notBefore;
        this.arrivalLagNs = arrivalLagNs;
        this.gapNs = gapNs;
    }

    /** Gives the next permit. */
    public Slot next(int cost) {
        Slot slot = log.earliest(from, cost);
        log.take(slot.at(), cost, slot.at() + arrivalLagNs);
        log.forget(slot.at(), FORGET_PER_PERMIT);
        from = slot.at() + gapNs;
        return slot;
    }
}
