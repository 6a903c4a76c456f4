package dev.weir.throttler.upstream;

import dev.weir.throttler.quota.PermitLog;

/**
 * What is kept of an upstream beside its permits, lanes and jobs.
 *
 * @param settings in force when it was written
 * @param reading the highest reading of the clock that was used, epoch nanoseconds; time never goes below it
 */
public record UpstreamState(
        int v,
        Settings settings,
        Control control,
        PermitLog.Head log,
        double virtualTime,
        long reading,
        long inFlight,
        long scheduled,
        long retrying,
        CircuitBreaker.State circuit,
        Hold.State hold,
        Silence.State silence) {
    public static final int VERSION = 1;
}
