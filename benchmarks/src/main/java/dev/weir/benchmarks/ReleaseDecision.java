package dev.weir.benchmarks;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.lanes.Lanes;
import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.upstream.Settings;
import dev.weir.throttler.upstream.Submission;
import dev.weir.throttler.upstream.Throttle;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * One tick that gives one permit, at the pace that the day allows for ever. The day's log is full from the first measured
 * tick on, so each tick forgets a permit, too. Outcomes and new jobs come between the ticks and are not measured.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 3)
@Measurement(iterations = 5, time = 3)
@Fork(value = 2, jvmArgsAppend = "-Xmx2g")
public class ReleaseDecision {
    static final int BATCH = 1000;

    private static final int JOBS_PER_LANE = 5;
    private static final Instant START = Instant.parse("2026-11-22T10:00:00Z");

    @Param({"1", "1000"})
    int lanes;

    private MapJournal journal;
    private Throttle throttle;
    private List<Permit> open;
    private long now;
    private long submitted;

    @Setup
    public void fillTheDay() {
        Settings settings = new Settings(
                Quota.UPSTREAM,
                Quota.WINDOWS,
                Quota.BURST,
                2 * BATCH,
                Duration.ofSeconds(3),
                Duration.ofMinutes(10),
                List.of(),
                CircuitBreakerSettings.DEFAULT,
                Weights.DEFAULT);
        journal = new MapJournal();
        throttle = new Throttle(
                settings,
                null,
                new PermitLog(settings.windows(), settings.burst()),
                new Lanes(journal, settings.weights()),
                journal);
        now = EpochNanos.of(START);
        open = List.of();
        for (int i = 0; i < Math.max(lanes * JOBS_PER_LANE, 2 * BATCH); i++) {
            submit(Quota.tenant(i % lanes));
        }
        for (long given = 0; given < Quota.DAY; given += BATCH) {
            answerAndRefill();
            tick();
        }
    }

    /** What was released is answered, and each lane gets as many jobs as it gave. */
    @Setup(Level.Invocation)
    public void answerAndRefill() {
        for (Permit permit : open) {
            throttle.outcome(
                    new Outcome(
                            Outcome.VERSION,
                            permit.jobId(),
                            permit.tenant(),
                            permit.upstream(),
                            permit.permit(),
                            permit.attempt(),
                            Outcome.Kind.ANSWERED,
                            permit.slot(),
                            permit.slot(),
                            permit.slot(),
                            new Answer(200, Map.of(), "{}", null, false),
                            null),
                    now);
            submit(permit.tenant());
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int tick() {
        boolean more = false;
        for (int i = 0; i < BATCH; i++) {
            now += Quota.STEP_NS;
            more |= throttle.tick(now, 1);
            // At a quota's pace hardly more than one is given between two commits.
            throttle.save();
        }
        open = journal.takeSent();
        if (!more || open.size() != BATCH) {
            throw new IllegalStateException(BATCH + " ticks gave " + open.size() + " permits");
        }
        return journal.checksum();
    }

    private void submit(String tenant) {
        JobRequest job = Jobs.job(Quota.UPSTREAM, tenant, submitted++, EpochNanos.toInstant(now), "{}");
        throttle.submit(Submission.of(job), now);
    }
}
