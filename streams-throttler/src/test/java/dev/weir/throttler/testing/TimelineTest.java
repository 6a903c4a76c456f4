package dev.weir.throttler.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class TimelineTest {
    private static final Instant START = Instant.parse("2026-11-22T10:00:00Z");
    private static final Duration MINUTE = Duration.ofMinutes(1);

    @Test
    void shouldTakeWindowsAsHalfOpen_whenOneLiesExactlyAWindowLater() {
        Timeline timeline = at(0, 30, 60, 89);

        Timeline.Peak peak = timeline.mostWithin(MINUTE);

        assertThat(peak).isEqualTo(new Timeline.Peak(MINUTE, START.plusSeconds(30), 3));
        assertThat(at(0, 60).mostWithin(MINUTE).cost()).isEqualTo(1);
    }

    @Test
    void shouldNameTheFullestWindow_whenTheClaimDoesNotHold() {
        Timeline timeline = at(0, 100, 110, 120);

        timeline.neverMoreThan(3).inAny(MINUTE).neverMoreThan(1).inAny(Duration.ofSeconds(10));

        assertThatThrownBy(() -> timeline.neverMoreThan(2).inAny(MINUTE))
                .isInstanceOf(AssertionError.class)
                .hasMessage("3 calls within PT1M from 2026-11-22T10:01:40Z on, expected at most 2;"
                        + " the first of all is at 2026-11-22T10:00:00Z");
    }

    @Test
    void shouldCountEachStepFromTheFirstOn_andThoseWithoutAny() {
        assertThat(at(5, 6, 64, 65, 200).perStep(MINUTE)).containsExactly(3L, 1L, 0L, 1L);
        assertThat(at().perStep(MINUTE)).isEmpty();
    }

    @Test
    void shouldCutOutWhatLiesBetween_theEndExcluded() {
        assertThat(at(0, 1, 2, 3)
                        .between(START.plusSeconds(1), START.plusSeconds(3))
                        .size())
                .isEqualTo(2);
    }

    @Test
    void shouldWeighByCost_andLeaveOutWhatCameBack() {
        Timeline.Builder builder = new Timeline.Builder("slots");
        builder.add(10, 3);
        builder.add(20, 4);
        builder.add(15, 5);
        builder.giveBack(0);

        Timeline timeline = builder.build();

        assertThat(timeline.cost()).isEqualTo(9);
        assertThat(timeline.size()).isEqualTo(2);
        assertThat(timeline.first().getNano()).isEqualTo(15);
    }

    @Test
    void shouldSayHowManyThereAre_whenAskedForOneThatIsNot() {
        assertThatThrownBy(() -> at().last())
                .isInstanceOf(NoSuchElementException.class)
                .hasMessageContaining("there are 0 calls");
    }

    private static Timeline at(long... seconds) {
        List<Instant> moments =
                LongStream.of(seconds).mapToObj(START::plusSeconds).toList();
        return Timeline.of("calls", moments);
    }
}
