package dev.weir.throttler;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.throttler.testing.Timeline;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.time.temporal.ChronoUnit;

/**
 * Half a million jobs under 1,000 a minute, 50,000 an hour and 500,000 a day, all waiting from the start; or fewer of them
 * under limits that are smaller by as much, which takes just as long.
 *
 * @param jobs a multiple of 5,000
 */
public record WholeDay(int jobs) {
    public static final int FULL = 500_000;

    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration DAY = Duration.ofDays(1);
    private static final int PACED_MINUTES = 50;

    public WholeDay {
        if (jobs < 5000 || jobs % 5000 != 0) {
            throw new IllegalArgumentException("expected a multiple of 5000 jobs, but it is " + jobs);
        }
    }

    public UpstreamSettings settings() {
        return UpstreamSettings.of(new Limit(jobs / 500, MINUTE), new Limit(jobs / 10, HOUR), new Limit(jobs, DAY));
    }

    /** What must be seen of it. */
    public void check(Timeline slots) {
        int aMinute = jobs / 500 * 9 / 10;
        int anHour = aMinute * PACED_MINUTES;
        int aDay = anHour * 10;
        assertThat(slots.size()).isEqualTo(jobs);
        assertThat(slots.perStep(MINUTE).subList(0, PACED_MINUTES)).containsOnly((long) aMinute);
        assertThat(slots.perStep(MINUTE).subList(PACED_MINUTES, 60)).containsOnly(0L);
        for (int n = 0; n + anHour < aDay; n++) {
            // So each window of an hour, wherever it begins, loses one as it gains one: it always holds the same.
            assertThat(slots.at(n + anHour)).isEqualTo(slots.at(n).plus(HOUR));
        }
        assertThat(slots.mostWithin(MINUTE).cost()).isEqualTo(aMinute);
        assertThat(slots.mostWithin(HOUR).cost()).isEqualTo(anHour);
        assertThat(slots.mostWithin(DAY).cost()).isEqualTo(aDay);
        assertThat(slots.between(slots.first(), slots.first().plus(DAY)).cost()).isEqualTo(aDay);

        Duration lastCall = Duration.between(slots.first(), slots.last()).truncatedTo(ChronoUnit.SECONDS);
        Plan plan = Plan.of(Settings.of("gemini", settings()), jobs);
        assertThat(lastCall).isEqualTo(plan.lastCall().truncatedTo(ChronoUnit.SECONDS));
        if (jobs == FULL) {
            assertThat(lastCall).isEqualTo(Duration.parse("PT25H5M32S"));
        }
    }
}
