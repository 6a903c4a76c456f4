package dev.weir.throttler.simulation;

import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What may hold the upstream back beside its quota, written down a second time from the contract: its own 429s, the circuit,
 * dispatchers that say nothing, calls in flight.
 */
final class ReferenceHolds {
    private static final long LONGEST_RETRY_AFTER = Duration.ofHours(1).toNanos();
    private static final long FIRST_BACKOFF = Duration.ofSeconds(1).toNanos();
    private static final long LONGEST_BACKOFF = Duration.ofSeconds(60).toNanos();

    private Settings settings;
    private Control.Mode mode = Control.Mode.RUNNING;
    private long heldUntil = Long.MIN_VALUE;
    private long backoff = FIRST_BACKOFF;

    private int failuresInARow;
    private boolean open;
    private long openUntil;
    private final Set<Long> probesOut = new HashSet<>();
    private int probesGood;

    private int silentInARow;
    private boolean nobody;
    private long nextProbe;
    private long lastOutcome = Long.MIN_VALUE;

    ReferenceHolds(Settings settings) {
        this.settings = settings;
    }

    void configure(Settings newSettings, Control.Mode newMode) {
        settings = newSettings;
        mode = newMode;
        if (open && probesGood >= settings.circuitBreaker().probes()) {
            // Fewer are asked for by now.
            close();
        }
    }

    /** Why nothing may be given now; null when something may. */
    @Nullable
    String why(long now, long inFlight) {
        if (mode != Control.Mode.RUNNING) {
            return "it is " + mode;
        }
        if (now < heldUntil) {
            return "it said that it has enough, until then: +" + Duration.ofNanos(heldUntil - now);
        }
        if (open && now < openUntil) {
            return "the circuit is open for " + Duration.ofNanos(openUntil - now);
        }
        if (open && probesOut.size() + probesGood >= settings.circuitBreaker().probes()) {
            return "the circuit is half open, its probes are out";
        }
        if (nobody && now < nextProbe) {
            return "nobody dispatches, the next probe goes in " + Duration.ofNanos(nextProbe - now);
        }
        // Silent calls count as being out, as long as another one is.
        if (!nobody && inFlight > 0 && inFlight + silentInARow >= settings.maxInFlight()) {
            return inFlight + " are in flight, " + silentInARow + " silent";
        }
        return null;
    }

    /** When time alone ends the hold; {@link Long#MAX_VALUE} when something else must happen, or when there is none. */
    long until(long now) {
        long until = Long.MAX_VALUE;
        for (long end : new long[] {heldUntil, open ? openUntil : 0, nobody ? nextProbe : 0}) {
            if (end > now) {
                until = Math.min(until, end);
            }
        }
        return until;
    }

    void gave(long permit, long now) {
        if (open) {
            probesOut.add(permit);
        }
        if (nobody) {
            nextProbe = now + settings.circuitBreaker().open().toNanos();
        }
    }

    void somebodySpoke(long now) {
        silentInARow = 0;
        nobody = false;
        lastOutcome = now;
    }

    boolean spokeSince(long time) {
        return lastOutcome > time;
    }

    void pushedBack(long now, @Nullable Long retryAfter) {
        if (retryAfter != null) {
            heldUntil = Math.max(heldUntil, now + Math.min(retryAfter, LONGEST_RETRY_AFTER));
        } else if (now >= heldUntil) {
            heldUntil = now + backoff;
            backoff = Math.min(2 * backoff, LONGEST_BACKOFF);
        }
    }

    /** It answered, and not with a failure of its own. */
    void answered(long permit) {
        backoff = FIRST_BACKOFF;
        failuresInARow = 0;
        if (open && probesOut.remove(permit)) {
            probesGood++;
            if (probesGood >= settings.circuitBreaker().probes()) {
                close();
            }
        }
    }

    private void close() {
        open = false;
        probesOut.clear();
        probesGood = 0;
        failuresInARow = 0;
    }

    void failed(long permit, long now) {
        boolean opens = open
                ? probesOut.contains(permit)
                : ++failuresInARow >= settings.circuitBreaker().failures();
        if (opens) {
            close();
            open = true;
            openUntil = now + settings.circuitBreaker().open().toNanos();
        }
    }

    void saidNothing(long permit) {
        probesOut.remove(permit);
    }

    void inDoubt(long permit, long now) {
        saidNothing(permit);
        if (++silentInARow >= settings.circuitBreaker().failures() && !nobody) {
            nobody = true;
            nextProbe = now + settings.circuitBreaker().open().toNanos();
        }
    }
}
