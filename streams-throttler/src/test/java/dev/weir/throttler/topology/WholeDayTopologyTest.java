package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.wire.JobStatus;
import dev.weir.throttler.WholeDay;
import dev.weir.throttler.testing.ThrottleHarness;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A whole day and an hour through the topology; {@code -Dweir.jobs=500000} for all of it. */
class WholeDayTopologyTest {
    @Test
    void shouldGoExactlyAsPlanned_whenADaysJobsWait() {
        WholeDay day = new WholeDay(Integer.getInteger("weir.jobs", 5000));
        try (ThrottleHarness harness = ThrottleHarness.lean(day.settings())) {
            harness.dispatcher().latency(Duration.ofMillis(200)).start();
            for (int i = 0; i < day.jobs(); i++) {
                harness.submit();
            }

            harness.advanceUntilFinished(Duration.ofHours(26));

            day.check(harness.slots());
            assertThat(harness.count(JobStatus.SUCCEEDED)).isEqualTo(day.jobs());
            assertThat(harness.calls().size()).isEqualTo(day.jobs());
        }
    }
}
