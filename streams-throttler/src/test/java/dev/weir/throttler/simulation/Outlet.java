package dev.weir.throttler.simulation;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.upstream.Control;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Submission;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One upstream in virtual time where every call succeeds after 20 ms: fast enough for a million jobs. A job's id is its number. */
final class Outlet {
    private static final long TICK_NS = Duration.ofMillis(400).toNanos();
    private static final Duration CALL = Duration.ofMillis(20);
    private static final long START = EpochNanos.of(Instant.parse("2026-11-22T06:00:00Z"));
    private static final int MOST_TURNS = 100_000;
    private static final Call REQUEST = new Call("POST", "/", Map.of(), null, null);

    private final Settings settings;
    private final Deque<Outcome> open = new ArrayDeque<>();
    final SlimJournal journal;
    final Throttle throttle;
    /** Of each job; null until it goes, and of those that were cancelled. */
    final @Nullable Instant[] slots;

    private long now = START;
    private int submitted;
    private int released;

    Outlet(Settings settings, int mostJobs) {
        this.settings = settings;
        this.slots = new Instant[mostJobs];
        this.journal = new SlimJournal(mostJobs, request("0", "nobody", Priority.NORMAL, 1));
        this.throttle = new Throttle(
                settings,
                null,
                new PermitLog(settings.windows(), settings.burst()),
                new Lanes(journal, settings.weights()),
                journal);
    }

    void submit(String tenant, Priority priority, int cost) {
        throttle.submit(Submission.of(request(Integer.toString(submitted++), tenant, priority, cost)), now);
    }

    void cancel(int job) {
        JobEvent event = Objects.requireNonNull(journal.queued[job]);
        if (slots[job] == null) {
            throttle.cancel(
                    new CancelRequest(
                            CancelRequest.VERSION,
                            "cancel-" + job,
                            event.id(),
                            event.tenant(),
                            event.upstream(),
                            now()),
                    now);
            released++;
        }
    }

    Instant now() {
        return EpochNanos.toInstant(now);
    }

    void run(Duration time) {
        for (long end = now + time.toNanos(); now < end; now += TICK_NS) {
            tick();
        }
    }

    /** @return the last job's slot */
    Instant runUntilDrained() {
        Instant last = Instant.EPOCH;
        while (released < submitted) {
            tick();
            now += TICK_NS;
        }
        for (int i = 0; i < submitted; i++) {
            last = slots[i] != null && slots[i].isAfter(last) ? slots[i] : last;
        }
        return last;
    }

    void configure(Settings newSettings) {
        throttle.configure(newSettings, Control.SEEDED, false, now);
    }

    /** As everyone else reads it. */
    Forecast forecast() {
        return Json.read(Json.bytes(throttle.forecast(now)), Forecast.class);
    }

    private void tick() {
        throttle.awake(now);
        while (!open.isEmpty() && EpochNanos.of(open.peek().endedAt()) <= now) {
            throttle.outcome(open.poll(), now);
        }
        throttle.tick(now, MOST_TURNS);
        for (Permit permit : journal.permits) {
            slots[Integer.parseInt(permit.jobId())] = permit.slot();
            released++;
            open.add(answered(permit));
        }
        journal.permits.clear();
    }

    private JobRequest request(String id, String tenant, Priority priority, int cost) {
        return new JobRequest(
                JobRequest.VERSION,
                id,
                tenant,
                settings.upstream(),
                REQUEST,
                priority,
                null,
                null,
                cost,
                now(),
                "hash",
                null);
    }

    private static Outcome answered(Permit permit) {
        return new Outcome(
                Outcome.VERSION,
                permit.jobId(),
                permit.tenant(),
                permit.upstream(),
                permit.permit(),
                permit.attempt(),
                Outcome.Kind.ANSWERED,
                permit.slot(),
                permit.slot(),
                permit.slot().plus(CALL),
                new Answer(200, Map.of(), null, null, false),
                null);
    }
}
