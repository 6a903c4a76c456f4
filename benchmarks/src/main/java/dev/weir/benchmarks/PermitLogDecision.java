package dev.weir.benchmarks;

import dev.weir.throttler.quota.PermitLog;
import dev.weir.throttler.quota.Slot;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The permit log alone: the next slot, taken, with a full day in the log; and the oldest permit forgotten, so that it stays so. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class PermitLogDecision {
    private static final int FORGET = 2;
    /** A call's arrival before its outcome is known: its permit's life, and what clocks may be apart. */
    private static final long ARRIVAL_NS = Duration.ofSeconds(5).toNanos();

    private PermitLog log;
    private long now;

    @Setup
    public void fillTheDay() {
        log = new PermitLog(Quota.WINDOWS, Quota.BURST);
        now = Duration.ofDays(20_000).toNanos();
        for (int i = 0; i < Quota.DAY; i++) {
            earliestAndTake();
        }
    }

    @Benchmark
    public long earliestAndTake() {
        now += Quota.STEP_NS;
        Slot slot = log.earliest(now, 1);
        log.take(slot.at(), 1, slot.at() + ARRIVAL_NS);
        log.forget(now, FORGET);
        return slot.at();
    }
}
