package dev.weir.throttler.topology;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.MockProcessorContext;
import org.apache.kafka.streams.processor.api.MockProcessorContext.CapturedPunctuator;
import org.junit.jupiter.api.Test;

class TickingTest {
    private final MockProcessorContext<String, byte[]> context = new MockProcessorContext<>();
    private final Set<TaskId> behind = new HashSet<>();
    private boolean more;
    private int ticks;
    private final Ticking ticking = new Ticking(context, behind, () -> {
        ticks++;
        return more;
    });

    TickingTest() {
        context.setCurrentSystemTimeMs(0);
        ticking.start();
    }

    @Test
    void shouldNotTickBeforeItIsStarted_andOnlyOnceHoweverOften() {
        MockProcessorContext<String, byte[]> its = new MockProcessorContext<>();
        Ticking idle = new Ticking(its, behind, () -> more);
        assertThat(its.scheduledPunctuators()).isEmpty();
        idle.stop();
        idle.start();
        idle.start();
        assertThat(its.scheduledPunctuators()).hasSize(1);
    }

    @Test
    void shouldTickSoonAfterOneThatHadMoreToDoThanTime() {
        assertThat(interval()).isEqualTo(Ticking.TICK);
        more = true;
        look();
        assertThat(interval()).isEqualTo(Ticking.SOON);
        assertThat(behind).containsExactly(context.taskId());
        look();
        assertThat(ticks).isEqualTo(2);
        more = false;
        look();
        assertThat(interval()).isEqualTo(Ticking.TICK);
        assertThat(behind).isEmpty();
    }

    @Test
    void shouldLeaveWhatComesInItsShareOfTheTime() {
        more = true;
        look();
        long share = Ticking.INPUT_SHARE.toMillis();
        for (long ms = 1; ms < share; ms++) {
            context.setCurrentSystemTimeMs(ms);
            if (ms % Ticking.QUIET.toMillis() == 1) {
                ticking.input();
            }
            look();
            // Once more when all that was fetched is taken, and nothing was fetched since.
            look();
        }
        assertThat(ticks).isEqualTo(1);
        context.setCurrentSystemTimeMs(share);
        ticking.input();
        look();
        assertThat(ticks).as("the share is used up").isEqualTo(2);
    }

    @Test
    void shouldTickWhenNothingComesInAnyMore() {
        more = true;
        look();
        ticking.input();
        for (long ms = 0; ms < Ticking.QUIET.toMillis(); ms++) {
            context.setCurrentSystemTimeMs(ms);
            look();
        }
        assertThat(ticks).isEqualTo(1);
        context.setCurrentSystemTimeMs(Ticking.QUIET.toMillis());
        look();
        assertThat(ticks).isEqualTo(2);
        look();
        assertThat(ticks).as("nothing came since").isEqualTo(3);
    }

    @Test
    void shouldNotSkipATickThatIsDueAnyway() {
        look();
        ticking.input();
        look();
        assertThat(ticks).isEqualTo(2);
    }

    @Test
    void shouldNotTickWhenItIsStopped() {
        more = true;
        look();
        ticking.stop();
        assertThat(scheduled()).isEmpty();
        assertThat(behind).isEmpty();
    }

    /** Kafka Streams' part: whatever is scheduled is called. */
    private void look() {
        scheduled().forEach(punctuator -> punctuator.getPunctuator().punctuate(context.currentSystemTimeMs()));
    }

    private Duration interval() {
        assertThat(scheduled()).hasSize(1);
        return scheduled().get(0).getInterval();
    }

    private List<CapturedPunctuator> scheduled() {
        return context.scheduledPunctuators().stream()
                .filter(punctuator -> !punctuator.cancelled())
                .toList();
    }
}
