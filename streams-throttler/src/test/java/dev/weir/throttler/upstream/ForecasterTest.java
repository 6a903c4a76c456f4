package dev.weir.throttler.upstream;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.LaneState;
import dev.weir.throttler.lanes.LaneStore;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.QuotaWindow;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ForecasterTest {
    private static final long T0 = EpochNanos.of(Instant.parse("2026-11-22T10:00:00Z"));
    private static final Duration A_SECOND = Duration.ofSeconds(1);
    private static final List<QuotaWindow> MINUTE_HOUR_DAY = List.of(
            new QuotaWindow(Duration.ofMinutes(1), 1000, 900),
            new QuotaWindow(Duration.ofHours(1), 50_000, 45_000),
            new QuotaWindow(Duration.ofDays(1), 500_000, 450_000));
    /** Each minute is spent after six seconds, so that a thousand lines tell only of eight hours. */
    private static final List<QuotaWindow> SECONDS_MINUTE =
            List.of(new QuotaWindow(Duration.ofSeconds(6), 420, 400), new QuotaWindow(Duration.ofMinutes(1), 420, 400));

    /** Every number is a job's, and each costs 1. */
    private static final class Ones implements LaneStore {
        @Override
        public LaneEntry laneEntry(LaneKey lane, long number) {
            return new LaneEntry(Long.toString(number), 1, Instant.EPOCH, true);
        }

        @Override
        public void putLaneEntry(LaneKey lane, long number, LaneEntry entry) {
            throw new AssertionError("nothing is put");
        }

        @Override
        public void deleteLaneEntry(LaneKey lane, long number) {
            throw new AssertionError("nothing is taken");
        }

        @Override
        public void putLane(LaneState lane) {
            throw new AssertionError("nothing is put");
        }

        @Override
        public void deleteLane(LaneKey lane, long head) {
            throw new AssertionError("nothing is taken");
        }
    }

    @Test
    void shouldTellOfThreeMillion_whenOnlyOneMillionAreRunForward() {
        List<Long> slots = slots(MINUTE_HOUR_DAY, 3_000_000);

        Forecast forecast = forecast(MINUTE_HOUR_DAY, 3_000_000);

        assertHonest(forecast, slots);
    }

    @Test
    void shouldTellOfADay_whenThereAreMoreHoldsThanLines() {
        List<Long> slots = slots(SECONDS_MINUTE, 500_000);

        Forecast forecast = forecast(SECONDS_MINUTE, 500_000);

        assertThat(forecast.breakPoints()).hasSizeLessThanOrEqualTo(1001);
        assertHonest(forecast, slots);
    }

    @Test
    void shouldListEveryLane_andFitIntoARecord() {
        Lanes lanes = new Lanes(new Ones(), Weights.DEFAULT);
        for (int i = 0; i < Lanes.MOST_LANES; i++) {
            lanes.restore(new LaneState(
                    1, key("6f1c1f0e-58a7-4a0e-9d6e-" + (100_000_000_000L + i)), 0, 10, 10, 10, 0, 10, 1.0 / 3 + i));
        }

        Forecast forecast = forecast(MINUTE_HOUR_DAY, lanes);

        assertThat(forecast.lanes()).hasSize(Lanes.MOST_LANES);
        assertThat(Json.bytes(forecast)).hasSizeLessThan(Topics.MAX_MESSAGE_BYTES);
    }

    @Test
    void shouldFitIntoARecord_whenEveryNameIsAsLongAndStrangeAsItMayBe() {
        Lanes lanes = new Lanes(new Ones(), Weights.DEFAULT);
        for (int i = 0; i < Lanes.MOST_LANES; i++) {
            lanes.restore(new LaneState(
                    1,
                    key("\u0001".repeat(250) + i),
                    0,
                    Long.MAX_VALUE / 100_000,
                    1L << 40,
                    1L << 40,
                    0,
                    1L << 60,
                    1e15 / 3 + i));
        }

        Forecast forecast = forecast(MINUTE_HOUR_DAY, lanes);

        assertThat(forecast.lanes()).hasSizeGreaterThan(1000);
        assertThat(Json.bytes(forecast)).hasSizeLessThan(Topics.MAX_MESSAGE_BYTES);
    }

    private static void assertHonest(Forecast forecast, List<Long> slots) {
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < 5000; i++) {
            int permit = i == 0 ? slots.size() - 1 : random.nextInt(slots.size());
            Instant slot = EpochNanos.toInstant(slots.get(permit));
            assertThat(forecast.timeOfPermit(permit))
                    .as("permit %d", permit)
                    .isBetween(slot.minus(A_SECOND), slot.plus(A_SECOND));
        }
        Instant last = EpochNanos.toInstant(slots.get(slots.size() - 1));
        assertThat(requireNonNull(forecast.queue().drainedAt())).isBetween(last.minus(A_SECOND), last.plus(A_SECOND));
    }

    private static List<Long> slots(List<QuotaWindow> windows, int permits) {
        ForwardRun run = new ForwardRun(new PermitLog(windows, 15), T0, 0, 0);
        List<Long> slots = new ArrayList<>(permits);
        for (int i = 0; i < permits; i++) {
            slots.add(run.next(1).at());
        }
        return slots;
    }

    private static Forecast forecast(List<QuotaWindow> windows, int waiting) {
        Lanes lanes = new Lanes(new Ones(), Weights.DEFAULT);
        lanes.restore(new LaneState(1, key("a"), 0, waiting, waiting, waiting, 0, waiting, 1));
        return forecast(windows, lanes);
    }

    private static Forecast forecast(List<QuotaWindow> windows, Lanes lanes) {
        PermitLog log = new PermitLog(windows, 15);
        return new Forecaster(settings(windows))
                .forecast(new Forecaster.View(log, lanes, Control.SEEDED, "running", null, "closed", 0, 0, 0), T0, T0);
    }

    private static LaneKey key(String tenant) {
        return new LaneKey("gemini", tenant, Priority.NORMAL);
    }

    private static Settings settings(List<QuotaWindow> windows) {
        return new Settings(
                "gemini",
                windows,
                15,
                300,
                Duration.ofSeconds(3),
                Duration.ofSeconds(30),
                List.of(),
                CircuitBreakerSettings.DEFAULT,
                Weights.DEFAULT);
    }
}
