package dev.weir.ingress;

import dev.weir.contracts.access.Caller;
import dev.weir.contracts.wire.Forecast;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** When a job that is submitted now would be called, and what follows from it. */
final class EtaCheck {
    static final String PAST = "expected a time in the future";

    private EtaCheck() {}

    /** The expected time of the call; null while nothing is known of the upstream, or it is paused. */
    static @Nullable Instant eta(
            @Nullable Forecast forecast, TakenLately lately, Caller caller, Draft draft, Instant now) {
        if (forecast == null) {
            return null;
        }
        @Nullable Instant eta;
        try {
            long since = lately.since(forecast.upstream(), caller.tenant(), draft.priority(), forecast.at());
            eta = forecast.etaOfNewJob(caller.tenant(), draft.priority(), draft.cost(), since);
        } catch (ArithmeticException e) {
            // Further away than a long of nanoseconds: the upstream stands still, and nobody can say until when.
            return null;
        }
        return eta == null ? null : later(later(eta, now), draft.notBefore());
    }

    /** Seconds until it is worth asking for the job, at least 1. */
    static long retryAfterSeconds(@Nullable Instant eta, Instant now) {
        return eta == null
                ? 1
                : Math.max(1, Duration.between(now, eta).plusMillis(999).toSeconds());
    }

    private static Instant later(Instant a, @Nullable Instant b) {
        return b != null && b.isAfter(a) ? b : a;
    }
}
