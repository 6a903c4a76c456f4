package dev.weir.benchmarks;

import dev.weir.contracts.config.Tier;
import dev.weir.contracts.limit.Limiter;
import dev.weir.contracts.limit.Limiter.Holder;
import dev.weir.contracts.limit.Limiter.Kind;
import dev.weir.contracts.limit.SlidingWindows;
import io.github.bucket4j.Bandwidth;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import io.github.resilience4j.ratelimiter.RateLimiterRegistry;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Whether one client may submit one more job, the client's quota looked up by its name as each request would, beside the same
 * with Bucket4j and resilience4j. Nobody else waits for a permit: each says at once yes or no, and Weir's and Bucket4j's say
 * what is left too. Only Weir's is a sliding window; theirs are a bucket that fills steadily and a fixed cycle.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
@Threads(2)
public class LimiterDecision {
    private static final Duration WINDOW = Duration.ofSeconds(1);
    /** A power of two. */
    private static final int CLIENTS = 1024;

    /** Far below what is asked, so that nearly all are refused; and as much as is kept at most, so that many are allowed. */
    @Param({"1000", "1000000"})
    int permits;

    /** One that both threads ask for, or any of 1,024. */
    @Param({"1", "1024"})
    int clients;

    private final String[] names = new String[CLIENTS];
    private final Holder[] holders = new Holder[CLIENTS];
    private final ConcurrentMap<String, Bucket> buckets = new ConcurrentHashMap<>();
    private final Limiter limiter = new SlidingWindows(WINDOW);
    private Tier tier;
    private RateLimiterRegistry registry;

    @Setup
    public void fill() {
        tier = new Tier("tier", permits, WINDOW);
        registry = RateLimiterRegistry.of(RateLimiterConfig.custom()
                .limitForPeriod(permits)
                .limitRefreshPeriod(WINDOW)
                .timeoutDuration(Duration.ZERO)
                .build());
        for (int i = 0; i < CLIENTS; i++) {
            names[i] = "tenant-" + i;
            holders[i] = new Holder(Kind.TENANT, names[i]);
        }
    }

    private int any() {
        return clients == 1 ? 0 : ThreadLocalRandom.current().nextInt() & (CLIENTS - 1);
    }

    /** The lookup's own cost, which is in each of the others. */
    @Benchmark
    public String chance() {
        return names[any()];
    }

    @Benchmark
    public Object weir() {
        return limiter.take(holders[any()], tier, 1);
    }

    @Benchmark
    public ConsumptionProbe bucket4j() {
        String name = names[any()];
        Bucket bucket = buckets.get(name);
        if (bucket == null) {
            bucket = buckets.computeIfAbsent(
                    name,
                    n -> Bucket.builder()
                            .addLimit(Bandwidth.builder()
                                    .capacity(permits)
                                    .refillGreedy(permits, WINDOW)
                                    .build())
                            .build());
        }
        return bucket.tryConsumeAndReturnRemaining(1);
    }

    @Benchmark
    public boolean resilience4j() {
        RateLimiter rateLimiter = registry.rateLimiter(names[any()]);
        return rateLimiter.acquirePermission();
    }
}
