package dev.weir.contracts.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Tier;
import dev.weir.contracts.limit.Limiter.Holder;
import dev.weir.contracts.limit.Limiter.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every decision beside that of {@link NaiveWindow}: over random arrivals, and with several threads. */
class SlidingWindowsTest {
    private static final Holder ACME = new Holder(Kind.TENANT, "acme");
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final int ARRIVALS = 60_000;
    private static final int THREADS = 4;

    private long now = -5_000_000_000L;

    private record Taken(long at, int permits, Holder holder, Decision decision) {}

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 16, 17, 100, 1000})
    void shouldDecideAsTheReference_whateverArrives(int permits) {
        long seed = Long.getLong("weir.seed", new Random().nextLong());
        RandomGenerator random = new Random(seed);
        Tier tier = new Tier("t", permits, SECOND);
        SlidingWindows windows = new SlidingWindows(() -> now, SECOND, 10);
        NaiveWindow reference = new NaiveWindow(tier);
        // On the average as many arrive as are allowed, so that both answers are common.
        long pace = SECOND.toNanos() / permits;

        for (int i = 0; i < ARRIVALS; i++) {
            now += switch (random.nextInt(20)) {
                case 0 -> random.nextLong(3 * SECOND.toNanos() / Math.max(1, permits / 10));
                case 1, 2, 3 -> 0;
                case 4 -> pace;
                default -> random.nextLong(2 * pace);
            };
            int wish = random.nextInt(10) > 0 ? 1 : random.nextInt(permits + 2);
            Decision expected = reference.take(now, wish);

            Decision decision = windows.take(ACME, tier, wish);

            assertThat(decision).as("arrival %s, -Dweir.seed=%s", i, seed).isEqualTo(expected);
        }
    }

    @Test
    void shouldDecideAsTheReference_whenSeveralThreadsAsk() throws Exception {
        long seed = Long.getLong("weir.seed", new Random().nextLong());
        Tier tier = new Tier("t", 500, SECOND);
        // Each reading is its own, so that sorting by it gives the order in which the decisions were made.
        AtomicLong clock = new AtomicLong();
        ThreadLocal<Long> read = new ThreadLocal<>();
        SlidingWindows windows = new SlidingWindows(
                () -> {
                    long reading = clock.addAndGet(1 + (clock.get() * 31 & 0xfffff));
                    read.set(reading);
                    return reading;
                },
                SECOND,
                10);
        // Tenants: this clock would let an address expire while a thread stands still for a moment.
        List<Holder> holders = List.of(ACME, new Holder(Kind.TENANT, "b"), new Holder(Kind.TENANT, "c"));
        holders.forEach(holder -> windows.take(holder, tier, 0));

        List<Callable<List<Taken>>> askers = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            RandomGenerator random = new Random(seed + t);
            askers.add(() -> {
                List<Taken> taken = new ArrayList<>();
                for (int i = 0; i < ARRIVALS / THREADS; i++) {
                    Holder holder = holders.get(Math.max(0, random.nextInt(5) - 2));
                    int wish = random.nextInt(5) > 0 ? 1 : random.nextInt(4);
                    Decision decision = windows.take(holder, tier, wish);
                    taken.add(new Taken(read.get(), wish, holder, decision));
                }
                return taken;
            });
        }
        List<Taken> all = new ArrayList<>();
        ExecutorService pool = Executors.newFixedThreadPool(THREADS);
        try {
            for (Future<List<Taken>> each : pool.invokeAll(askers)) {
                all.addAll(each.get());
            }
        } finally {
            pool.shutdownNow();
        }

        Map<Holder, NaiveWindow> references = new HashMap<>();
        all.sort(Comparator.comparingLong(Taken::at));
        for (Taken taken : all) {
            assertThat(taken.decision())
                    .as("at %s, -Dweir.seed=%s", taken.at(), seed)
                    .isEqualTo(references
                            .computeIfAbsent(taken.holder(), holder -> new NaiveWindow(tier))
                            .take(taken.at(), taken.permits()));
        }
        assertThat(all).anyMatch(taken -> !taken.decision().allowed());
    }

    @Test
    void shouldLetAPermitGo_exactlyAWindowAfterIt() {
        Tier tier = new Tier("t", 2, SECOND);
        SlidingWindows windows = new SlidingWindows(() -> now, SECOND, 10);
        windows.take(ACME, tier, 1);
        now += 400_000_000;
        windows.take(ACME, tier, 1);

        now += 599_999_999;
        assertThat(windows.take(ACME, tier, 1)).isEqualTo(new Decision(tier, false, 0, 1, 1));
        now += 1;
        assertThat(windows.take(ACME, tier, 1)).isEqualTo(new Decision(tier, true, 0, 400_000_000, 0));
    }

    @Test
    void shouldStandStill_whenTheClockStepsBack() {
        Tier tier = new Tier("t", 1, SECOND);
        SlidingWindows windows = new SlidingWindows(() -> now, SECOND, 10);
        windows.take(ACME, tier, 1);

        now -= 3_000_000_000L;
        assertThat(windows.take(ACME, tier, 1).retryNs()).isEqualTo(SECOND.toNanos());
    }

    @Test
    void shouldCountEachTierAndHolderForItself() {
        Tier one = new Tier("one", 1, SECOND);
        SlidingWindows windows = new SlidingWindows(() -> now, SECOND, 10);

        assertThat(windows.take(ACME, one, 1).allowed()).isTrue();
        assertThat(windows.take(new Holder(Kind.TENANT, "b"), one, 1).allowed()).isTrue();
        assertThat(windows.take(new Holder(Kind.ADDRESS, "acme"), one, 1).allowed())
                .isTrue();
        assertThat(windows.take(ACME, new Tier("two", 1, SECOND), 1).allowed()).isTrue();
        assertThat(windows.take(ACME, one, 1).allowed()).isFalse();
    }

    @Test
    void shouldKeepNoMoreAddressesThanItsBound_andNoneThatIsSilent() {
        Tier tier = new Tier("anonymous", 100, SECOND);
        SlidingWindows windows = new SlidingWindows(() -> now, SECOND, 1000);

        for (int i = 0; i < 50_000; i++) {
            windows.take(new Holder(Kind.ADDRESS, "10.0." + i / 256 + "." + i % 256), tier, 1);
        }
        assertThat(windows.addresses()).isBetween(1L, 1000L);

        now += SECOND.plus(SlidingWindows.SILENT).toNanos();
        assertThat(windows.addresses()).isZero();
    }
}
