package dev.weir.throttler.topology;

import java.time.Duration;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.ProcessorContext;

/**
 * When a task ticks: every {@link #TICK}; and after a tick that had more to do than time for it, as soon as what came in meanwhile
 * was taken, for which there is {@link #INPUT_SHARE} at most. Not thread-safe.
 */
final class Ticking {
    static final Duration TICK = Duration.ofMillis(50);
    /** A tick never holds up the poll for longer. */
    static final Duration BUDGET = Duration.ofMillis(30);

    static final Duration INPUT_SHARE = TICK.minus(BUDGET);
    /** Between two looks whether it may tick again: the shortest that Kafka Streams knows. */
    static final Duration SOON = Duration.ofMillis(1);

    private final ProcessorContext<?, ?> context;
    private final Set<TaskId> behind;
    private final BooleanSupplier tick;
    private Cancellable schedule;
    private boolean hurried;
    private boolean input;
    private long endedAtMs;

    /**
     * @param behind holds this task while it has more to do
     * @param tick says whether it has more to do than it had time for
     */
    Ticking(ProcessorContext<?, ?> context, Set<TaskId> behind, BooleanSupplier tick) {
        this.context = context;
        this.behind = behind;
        this.tick = tick;
        this.schedule = every(TICK);
    }

    /** A record came in. */
    void input() {
        input = true;
    }

    void stop() {
        schedule.cancel();
        behind.remove(context.taskId());
    }

    private void run() {
        boolean inputMayWait = input && context.currentSystemTimeMs() - endedAtMs < INPUT_SHARE.toMillis();
        input = false;
        if (hurried && inputMayWait) {
            return;
        }
        boolean more = tick.getAsBoolean();
        endedAtMs = context.currentSystemTimeMs();
        if (more == hurried) {
            return;
        }
        hurried = more;
        schedule.cancel();
        schedule = every(more ? SOON : TICK);
        if (more) {
            behind.add(context.taskId());
        } else {
            behind.remove(context.taskId());
        }
    }

    private Cancellable every(Duration interval) {
        return context.schedule(interval, PunctuationType.WALL_CLOCK_TIME, ms -> run());
    }
}
