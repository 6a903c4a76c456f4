package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.WholeDay;
import dev.weir.throttler.testing.Timeline;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Throttle;
import dev.weir.throttler.upstream.Timer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** All 500,000 jobs of the whole day through the decisions alone. */
class WholeDayTest {
    private static final Instant START = Instant.parse("2026-11-22T10:00:00Z");
    /** Slots are given up to 900 ms ahead: at this distance they come out as at 50 ms. */
    private static final Duration TICK = Duration.ofMillis(250);

    private static final Duration LATENCY = Duration.ofMillis(200);
    private static final Call CALL = new Call("POST", "/", Map.of(), null, null);
    private static final Answer GOOD = new Answer(200, Map.of(), null, null, false);

    private final MemoryJournal journal = new MemoryJournal();

    @Test
    void shouldGoExactlyAsPlanned_whenHalfAMillionJobsWait() {
        WholeDay day = new WholeDay(WholeDay.FULL);
        Throttle throttle = journal.open(Settings.of("gemini", day.settings()));
        for (int i = 0; i < day.jobs(); i++) {
            throttle.submit(job(i), EpochNanos.of(START));
            journal.commit();
        }

        List<Instant> slots = new ArrayList<>();
        Deque<Permit> open = new ArrayDeque<>();
        for (Instant now = START; slots.size() < day.jobs(); now = now.plus(TICK)) {
            long at = EpochNanos.of(now);
            throttle.awake(at);
            while (!open.isEmpty() && !open.peek().slot().plus(LATENCY).isAfter(now)) {
                throttle.outcome(answered(open.remove()), at);
            }
            for (Timer timer = journal.takeDue(at); timer != null; timer = journal.takeDue(at)) {
                throttle.timer(timer, at);
            }
            throttle.tick(at, 1000);
            for (Step step : journal.commit()) {
                if (step instanceof Step.Gave gave) {
                    slots.add(gave.permit().slot());
                    open.add(gave.permit());
                }
            }
        }

        day.check(Timeline.of("permits' slots", slots));
    }

    private static JobRequest job(int number) {
        return new JobRequest(
                1, "job-" + number, "local", "gemini", CALL, Priority.NORMAL, null, null, 1, START, "hash", null);
    }

    private static Outcome answered(Permit permit) {
        return new Outcome(
                1,
                permit.jobId(),
                permit.tenant(),
                permit.upstream(),
                permit.permit(),
                permit.attempt(),
                Outcome.Kind.ANSWERED,
                permit.slot(),
                permit.slot(),
                permit.slot().plus(LATENCY),
                GOOD,
                null);
    }
}
