package dev.weir.throttler.topology;

import java.time.Duration;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.kafka.streams.processor.Cancellable;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.TaskId;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.jspecify.annotations.Nullable;

/**
 * When a task ticks: once started, every {@link #TICK}; and after a tick that had more to do than time for it, as soon as nothing
 * comes in, or what comes in had its {@link #INPUT_SHARE}. Not thread-safe.
 */
final class Ticking {
    static final Duration TICK = Duration.ofMillis(50);
    /** A tick never holds up the poll for longer. */
    static final Duration BUDGET = Duration.ofMillis(30);

    static final Duration INPUT_SHARE = TICK.minus(BUDGET);
    /** Without a record for so long, nothing comes in: Kafka Streams looks several times between two fetches of a full topic. */
    static final Duration QUIET = Duration.ofMillis(3);
    /** Between two looks whether it may tick again: the shortest that Kafka Streams knows. */
    static final Duration SOON = Duration.ofMillis(1);

    private final ProcessorContext<?, ?> context;
    private final Set<TaskId> behind;
    private final BooleanSupplier tick;
    private @Nullable Cancellable schedule;
    private boolean hurried;
    private boolean input;
    private long inputSeenMs;
    private long endedAtMs;

    /**
     * @param behind holds this task while it has more to do
     * @param tick says whether it has more to do than it had time for
     */
    Ticking(ProcessorContext<?, ?> context, Set<TaskId> behind, BooleanSupplier tick) {
        this.context = context;
        this.behind = behind;
        this.tick = tick;
    }

    /** Once there is something to tick for: each tick of any task makes Kafka Streams take the records in smaller runs. */
    void start() {
        if (schedule == null) {
            schedule = every(TICK);
        }
    }

    /** A record came in. */
    void input() {
        input = true;
    }

    void stop() {
        cancel();
        behind.remove(context.taskId());
    }

    private void run() {
        if (hurried && inputComesFirst()) {
            return;
        }
        input = false;
        inputSeenMs = Long.MIN_VALUE;
        boolean more = tick.getAsBoolean();
        endedAtMs = context.currentSystemTimeMs();
        if (more == hurried) {
            return;
        }
        hurried = more;
        cancel();
        schedule = every(more ? SOON : TICK);
        if (more) {
            behind.add(context.taskId());
        } else {
            behind.remove(context.taskId());
        }
    }

    private boolean inputComesFirst() {
        long nowMs = context.currentSystemTimeMs();
        if (input) {
            input = false;
            inputSeenMs = nowMs;
        }
        return nowMs - endedAtMs < INPUT_SHARE.toMillis() && nowMs < inputSeenMs + QUIET.toMillis();
    }

    private void cancel() {
        if (schedule != null) {
            schedule.cancel();
        }
    }

    private Cancellable every(Duration interval) {
        return context.schedule(interval, PunctuationType.WALL_CLOCK_TIME, ms -> run());
    }
}
