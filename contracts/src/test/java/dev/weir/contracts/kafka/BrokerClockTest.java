package dev.weir.contracts.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class BrokerClockTest {
    private static final Instant T = Instant.parse("2026-11-22T10:00:00Z");

    @Test
    void shouldBeZero_whenTheBrokersTimeLiesWithinTheRoundTrip() {
        var sample = new BrokerClock.Sample(T, T.plusMillis(20), T.plusMillis(7));

        assertThat(sample.offset()).isZero();
    }

    @Test
    void shouldBePositive_whenTheClockIsBehindTheBrokers() {
        var sample = new BrokerClock.Sample(T, T.plusMillis(20), T.plusMillis(3020));

        assertThat(sample.offset()).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void shouldBeNegative_whenTheClockIsAheadOfTheBrokers() {
        var sample = new BrokerClock.Sample(T, T.plusMillis(20), T.minusMillis(3001));

        assertThat(sample.offset()).isEqualTo(Duration.ofSeconds(-3));
    }
}
