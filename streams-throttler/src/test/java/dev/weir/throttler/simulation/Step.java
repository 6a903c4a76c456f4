package dev.weir.throttler.simulation;

import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Timer;

/**
 * One thing that went into the throttle or came out of it. A transaction is a list of them; the referee hears of it when it
 * is committed. Times are readings of the throttle's clock.
 */
sealed interface Step {
    void tell(Referee referee);

    record Submitted(JobRequest request, long now) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.submitted(request, now);
        }
    }

    record Heard(Outcome outcome, long now) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.heard(outcome, now);
        }
    }

    record Cancelled(CancelRequest request, long now) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.cancelled(request, now);
        }
    }

    record Configured(Settings settings, Control.Mode mode, long now) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.configured(settings, mode, now);
        }
    }

    record Fired(Timer timer, long now) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.fired(timer, now);
        }
    }

    record Ticking(long now) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.ticking(now);
        }
    }

    /** The tick ended because it had nothing more to give. */
    record Rested(long now) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.rested(now);
        }
    }

    record Changed(JobEvent event) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.changed(event);
        }
    }

    record Buried(DeadLetter letter) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.buried(letter);
        }
    }

    record Gave(Permit permit) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.gave(permit);
        }
    }

    record Forgot(long permit) implements Step {
        @Override
        public void tell(Referee referee) {
            referee.forgot(permit);
        }
    }
}
