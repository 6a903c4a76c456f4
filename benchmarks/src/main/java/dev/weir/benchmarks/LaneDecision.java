package dev.weir.benchmarks;

import dev.weir.contracts.config.Weights;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.lanes.LaneEntry;
import dev.weir.throttler.lanes.LaneKey;
import dev.weir.throttler.lanes.Lanes;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
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

/** The lanes alone: whose turn it is, and taking that job out. The lanes stay full; what fills them is not measured. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(2)
public class LaneDecision {
    private static final int BATCH = 1000;
    private static final int JOBS_PER_LANE = 5;

    @Param({"1", "1000"})
    int lanes;

    private Lanes all;
    private List<Lanes.Turn> taken;

    @Setup
    public void fill() {
        all = new Lanes(new MapJournal(), Weights.DEFAULT);
        taken = new ArrayList<>();
        for (int i = 0; i < Math.max(lanes * JOBS_PER_LANE, 2 * BATCH); i++) {
            LaneKey lane = new LaneKey(Quota.UPSTREAM, Quota.tenant(i % lanes), Priority.NORMAL);
            all.append(lane, new LaneEntry("job-" + i, 1, Instant.EPOCH, true));
        }
    }

    @Setup(Level.Invocation)
    public void refill() {
        taken.forEach(turn -> all.append(turn.lane(), turn.entry()));
        taken.clear();
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long nextAndTake() {
        for (int i = 0; i < BATCH; i++) {
            Lanes.Turn turn = all.next();
            if (turn == null) {
                throw new IllegalStateException("the lanes ran empty");
            }
            all.take(turn);
            taken.add(turn);
        }
        return all.waiting();
    }
}
