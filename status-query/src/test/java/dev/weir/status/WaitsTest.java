package dev.weir.status;

import static dev.weir.status.TopologyFixture.ID;
import static dev.weir.status.TopologyFixture.T0;
import static dev.weir.status.TopologyFixture.event;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Weights;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Events and forecasts come at different times: a job may have moved since the forecast, or not yet. */
final class WaitsTest {
    /** The first permit at T0, and one each second. */
    private static Forecast forecast(String state, @Nullable Integer head, int tail) {
        List<Forecast.Lane> lanes =
                head == null ? List.of() : List.of(Forecast.Lane.of("local", Priority.NORMAL, head, tail, 2, 1));
        return new Forecast(
                Forecast.VERSION,
                "gemini",
                T0,
                state,
                null,
                "closed",
                false,
                0,
                Weights.DEFAULT,
                List.of(),
                new Forecast.Queue(0, 0, 0, 0, 0, null, null),
                0,
                lanes,
                List.of(new Forecast.BreakPoint(0, T0, Duration.ofSeconds(1).toNanos())),
                null,
                null);
    }

    private static JobEvent queued(long seq) {
        return event(ID, JobStatus.QUEUED, 1, 0, seq, null, false);
    }

    private static @Nullable Instant eta(Forecast forecast, LaneHeads lanes, JobEvent job) {
        return new Waits(upstream -> forecast, lanes, () -> T0).eta(job);
    }

    @Test
    void shouldCountTheJobsOfTheLaneBeforeIt_whenTheForecastKnowsIt() {
        assertThat(eta(forecast("running", 10, 20), new LaneHeads(), queued(15)))
                .isEqualTo(T0.plusSeconds(5));
    }

    @Test
    void shouldCountThoseToo_whoJoinedTheLaneSinceTheForecast() {
        assertThat(eta(forecast("running", 10, 20), new LaneHeads(), queued(20)))
                .isEqualTo(T0.plusSeconds(10));
        assertThat(eta(forecast("running", 10, 20), new LaneHeads(), queued(45)))
                .isEqualTo(T0.plusSeconds(35));
    }

    @Test
    void shouldCountByTheEvents_whenTheWholeLaneIsNewerThanTheForecast() {
        LaneHeads lanes = new LaneHeads();
        lanes.moved(null, queued(500));

        assertThat(eta(forecast("running", null, 0), lanes, queued(503))).isEqualTo(T0.plusSeconds(3));
    }

    @Test
    void shouldGiveTheNextPermit_whenTheForecastSawItLeaveAlready() {
        assertThat(eta(forecast("running", 10, 4000), new LaneHeads(), queued(9)))
                .isEqualTo(T0);
    }

    @Test
    void shouldGiveNoTime_whilePaused() {
        for (long seq : new long[] {9, 15, 45}) {
            assertThat(eta(forecast(Forecast.PAUSED, 10, 20), new LaneHeads(), queued(seq)))
                    .isNull();
        }
    }
}
