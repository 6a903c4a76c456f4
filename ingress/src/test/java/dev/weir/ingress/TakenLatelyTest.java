package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.wire.Priority;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class TakenLatelyTest {
    private static final Instant T0 = Instant.parse("2026-11-22T10:00:00Z");

    private final TakenLately lately = new TakenLately();

    @Test
    void shouldCountWhatCameAfterTheForecast_laneByLane() {
        lately.add("a", "t", Priority.NORMAL, 5, T0.minusMillis(300));
        lately.add("a", "t", Priority.NORMAL, 1, T0.plusMillis(200));
        lately.add("a", "t", Priority.NORMAL, 2, T0.plusMillis(200));
        lately.add("a", "t", Priority.HIGH, 7, T0.plusMillis(200));
        lately.add("b", "t", Priority.NORMAL, 9, T0.plusMillis(200));

        assertThat(lately.since("a", "t", Priority.NORMAL, T0)).isEqualTo(3);
        assertThat(lately.since("a", "t", Priority.HIGH, T0)).isEqualTo(7);
        assertThat(lately.since("a", "other", Priority.NORMAL, T0)).isZero();
        assertThat(lately.since("a", "t", Priority.NORMAL, T0.plusSeconds(1))).isZero();
    }

    @Test
    void shouldForgetWhatIsOlderThanItsReach() {
        lately.add("a", "t", Priority.NORMAL, 5, T0);
        lately.add("a", "t", Priority.NORMAL, 1, T0.plus(TakenLately.REACH));

        assertThat(lately.since("a", "t", Priority.NORMAL, T0.minusSeconds(1))).isEqualTo(1);
    }
}
