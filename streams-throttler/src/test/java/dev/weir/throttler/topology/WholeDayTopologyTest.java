package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.wire.JobStatus;
import dev.weir.throttler.WholeDay;
import dev.weir.throttler.testing.ThrottleHarness;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A whole day and an hour through the topology; {@code -Dweir.jobs=500000} for all of it. */
class WholeDayTopologyTest {
    /** No more than two of them wait at a time: a forecast comes each virtual second, and takes as long as many wait. */
    private static final int WAVE = 5000;

    @Test
    void shouldGoExactlyAsPlanned_whenADaysJobsWait() {
        WholeDay day = new WholeDay(Integer.getInteger("weir.jobs", 5000));
        try (ThrottleHarness harness = ThrottleHarness.lean(day.settings())) {
            harness.dispatcher().latency(Duration.ofMillis(200)).start();
            for (int submitted = 0; submitted < day.jobs(); submitted += WAVE) {
                harness.submit(WAVE);
                do {
                    harness.advance(Duration.ofMinutes(1));
                } while (harness.forecast().queue().waiting() > WAVE);
            }

            harness.advanceUntilFinished(Duration.ofHours(26));

            day.check(harness.slots());
            assertThat(harness.count(JobStatus.SUCCEEDED)).isEqualTo(day.jobs());
            assertThat(harness.calls().size()).isEqualTo(day.jobs());
        }
    }
}
