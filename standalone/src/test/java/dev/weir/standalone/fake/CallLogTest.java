package dev.weir.standalone.fake;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class CallLogTest {
    private final AtomicLong now = new AtomicLong(-5_000_000_000L);

    @Test
    void shouldLetACallInAgain_exactlyWhenTheOldestLeavesTheWindow() {
        CallLog log = new CallLog(List.of(new Limit(2, Duration.ofSeconds(1))), now::get);
        assertThat(log.arrive("a")).isZero();
        now.addAndGet(400_000_000L);
        assertThat(log.arrive("b")).isZero();

        now.addAndGet(599_999_999L);
        assertThat(log.arrive("c")).isEqualTo(1);
        now.addAndGet(1);
        assertThat(log.arrive("c")).isZero();

        Stats stats = log.stats();
        assertThat(stats.calls()).isEqualTo(4);
        assertThat(stats.tooManyRequests()).isEqualTo(1);
        assertThat(stats.distinctJobs()).isEqualTo(3);
        assertThat(stats.duplicates()).isEqualTo(1);
        assertThat(stats.perSecond()).containsExactly(3, 1);
    }

    @RepeatedTest(20)
    void shouldDecideAndCountAsTheNaiveModelDoes_whenCallsComeAtRandom(RepetitionInfo repetition) {
        long seed = 7_000L + repetition.getCurrentRepetition();
        SplittableRandom random = new SplittableRandom(seed);
        List<Limit> limits = List.of(
                new Limit(1 + random.nextInt(20), Duration.ofMillis(100 + random.nextInt(400))),
                new Limit(1 + random.nextInt(60), Duration.ofMillis(600 + random.nextInt(3000))));
        CallLog log = new CallLog(limits, now::get);
        List<Long> all = new ArrayList<>();
        List<Long> in = new ArrayList<>();

        for (int i = 0; i < 1500; i++) {
            // Whole milliseconds, so that calls meet the edges of windows.
            now.addAndGet(random.nextInt(40) * 1_000_000L);
            boolean expected = limits.stream()
                    .allMatch(limit -> count(in, now.get(), limit.per().toNanos()) < limit.permits());
            assertThat(log.arrive("job-" + i) == 0)
                    .as("seed %d, call %d", seed, i)
                    .isEqualTo(expected);
            all.add(now.get());
            if (expected) {
                in.add(now.get());
            }
        }

        for (Stats.WindowFigure figure : log.stats().limits()) {
            long most = all.stream()
                    .mapToLong(end -> count(all, end, figure.per().toNanos()))
                    .max()
                    .orElseThrow();
            assertThat((long) figure.most()).as("seed %d", seed).isEqualTo(most);
        }
        assertThat(log.callsInLast(Duration.ofSeconds(1))).as("seed %d", seed).isEqualTo((int)
                count(all, now.get(), 1_000_000_000L));
    }

    @Test
    void shouldGoOnCounting_whenItKeepsNoMore() {
        CallLog log = new CallLog(List.of(), now::get, 3);

        for (int i = 0; i < 5; i++) {
            log.arrive("job-" + i);
        }

        assertThat(log.stats().calls()).isEqualTo(5);
        assertThat(log.stats().cut()).isTrue();
    }

    private static long count(List<Long> at, long end, long lengthNs) {
        return at.stream().filter(t -> t > end - lengthNs && t <= end).count();
    }
}
