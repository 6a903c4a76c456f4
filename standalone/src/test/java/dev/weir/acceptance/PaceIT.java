package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Permit;
import dev.weir.standalone.fake.FakeUpstream;
import dev.weir.standalone.fake.Stats;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The pace, by the slots in {@code weir.dispatch} and by the clock of an upstream that only counts. Short in a build;
 * {@code -Dweir.minutes=5} and {@code -Dweir.stall=60} run it as long as one likes.
 */
class PaceIT {
    private static final int MINUTES = Integer.getInteger("weir.minutes", 1);
    private static final int STALL_SECONDS = Integer.getInteger("weir.stall", 15);
    /** A build's machine may be busy; the windows by the slots are exact all the same. */
    private static final int NOISE = Integer.getInteger("weir.noise", 15);

    private static final int WARM_UP_ROUNDS = 20;
    /** As many at once as the throttle's own burst. */
    private static final int BURST = 15;

    @TempDir
    Path dir;

    @Test
    @Tag("alone")
    void shouldCallExactlyTheBudgetInEachMinute_evenly_whenJobsWait() throws Exception {
        try (FakeUpstream upstream = upstream();
                WeirProcess weir = new WeirProcess(dir, thousandAMinute(upstream))) {
            weir.start();
            weir.submit("counted", 900 * MINUTES + 150);

            await().atMost(Duration.ofSeconds(60L * MINUTES + 30))
                    .until(() -> upstream.log().calls() >= 900L * MINUTES + 60);

            Stats stats = upstream.log().stats();
            System.out.println("by the upstream's clock: " + stats);
            System.out.println(lateness(weir));
            long[] slots = slots(weir.permits().values());
            for (int minute = 0; minute < MINUTES; minute++) {
                long from = slots[0] + Duration.ofMinutes(minute).toNanos();
                assertThat(countWithin(slots, from, from + Duration.ofMinutes(1).toNanos()))
                        .isEqualTo(900);
                assertThat(stats.perMinute().get(minute)).isBetween(900 - NOISE, 900 + NOISE);
            }
            assertThat(most(slots, Duration.ofMinutes(1))).isEqualTo(900);
            assertThat(stats.mostInRollingMinute()).isLessThanOrEqualTo(900 + NOISE);
            assertThat(stats.gaps()).isNotNull();
            assertThat(stats.gaps().median()).isBetween(58.0, 69.0);
            assertThat(stats.duplicates()).isZero();
        }
    }

    @Test
    @Tag("long")
    void shouldHoldEveryWindowAtUtilizationOne_alsoAcrossAKill() throws Exception {
        try (FakeUpstream upstream = upstream();
                WeirProcess weir = new WeirProcess(dir, """
                        upstreams:
                          counted:
                            baseUrl: http://127.0.0.1:%d
                            utilization: 1.0
                            timeout: 5s
                            limits:
                              - { permits: 90,   per: 6s }
                              - { permits: 400,  per: 60s }
                              - { permits: 5000, per: 1h }
                        """.formatted(upstream.port()))) {
            weir.start();
            weir.submit("counted", 600);
            await().atMost(Duration.ofSeconds(30)).until(() -> upstream.log().calls() >= 150);

            weir.kill();
            weir.start();

            await().atMost(Duration.ofSeconds(120)).until(() -> upstream.log().calls() >= 500);
            Stats stats = upstream.log().stats();
            System.out.println("by the upstream's clock: " + stats);
            long[] slots = slots(weir.permits().values());
            assertThat(most(slots, Duration.ofSeconds(6))).isLessThanOrEqualTo(90);
            assertThat(most(slots, Duration.ofSeconds(60))).isLessThanOrEqualTo(400);
            assertThat(upstream.log().most(Duration.ofSeconds(6))).isLessThanOrEqualTo(90);
            assertThat(upstream.log().most(Duration.ofSeconds(60))).isLessThanOrEqualTo(400);
        }
    }

    @Test
    @Tag("long")
    void shouldGoOnWithoutABurst_whenItWasStopped() throws Exception {
        try (FakeUpstream upstream = upstream();
                WeirProcess weir = new WeirProcess(dir, thousandAMinute(upstream))) {
            weir.start();
            weir.submit("counted", 3000);
            await().atMost(Duration.ofSeconds(30)).until(() -> upstream.log().calls() >= 100);

            weir.signal("STOP");
            await().pollDelay(Duration.ofSeconds(STALL_SECONDS))
                    .atMost(Duration.ofSeconds(STALL_SECONDS + 5L))
                    .until(() -> true);
            long before = upstream.log().calls();
            long continued = System.nanoTime();
            weir.signal("CONT");
            await().atMost(Duration.ofSeconds(20)).until(() -> upstream.log().calls() > before + 5);
            System.out.println("releasing again after " + Duration.ofNanos(System.nanoTime() - continued));

            await().atMost(Duration.ofSeconds(90)).until(() -> upstream.log().calls() > before + 350);
            Stats stats = upstream.log().stats();
            System.out.println("by the upstream's clock: " + stats);
            assertThat(stats.mostInRollingMinute()).isLessThanOrEqualTo(1000);
            // Nothing comes as a clump: what is made up keeps the limit's distance.
            assertThat(upstream.log().most(Duration.ofSeconds(1))).isLessThanOrEqualTo(30);
        }
    }

    /** Warm: what its first answers take would count as lateness of the calls. */
    static FakeUpstream upstream() {
        FakeUpstream upstream = new FakeUpstream("127.0.0.1", 0, List.of(), Duration.ofMillis(20));
        HttpClient client = HttpClient.newHttpClient();
        HttpRequest stats = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + upstream.port() + FakeUpstream.STATS_PATH))
                .timeout(Duration.ofSeconds(10))
                .build();
        for (int round = 0; round < WARM_UP_ROUNDS; round++) {
            CompletableFuture<?>[] asked = Stream.generate(
                            () -> client.sendAsync(stats, HttpResponse.BodyHandlers.discarding()))
                    .limit(BURST)
                    .toArray(CompletableFuture<?>[]::new);
            CompletableFuture.allOf(asked).join();
        }
        return upstream;
    }

    static String thousandAMinute(FakeUpstream upstream) {
        return """
               upstreams:
                 counted:
                   baseUrl: http://127.0.0.1:%d
                   timeout: 5s
                   limits:
                     - { permits: 1000,   per: 1m }
                     - { permits: 50000,  per: 1h }
                     - { permits: 500000, per: 1d }
               """.formatted(upstream.port());
    }

    private static String lateness(WeirProcess weir) throws Exception {
        String metrics = weir.send(java.net.http.HttpRequest.newBuilder(java.net.URI.create(weir.url() + "/metrics")))
                .body();
        List<String> lines = metrics.lines()
                .filter(line -> line.startsWith("weir_call_lateness_seconds"))
                .toList();
        // Half of them start within 20 ms on any machine that can be measured on at all.
        double total = count(lines, "_count{");
        assertThat(count(lines, "le=\"0.02\"")).as("lateness is exported").isGreaterThan(total / 2);
        return String.join(System.lineSeparator(), lines);
    }

    private static double count(List<String> lines, String which) {
        return lines.stream()
                .filter(line -> line.contains(which))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
                .findFirst()
                .orElseThrow();
    }

    private static long[] slots(Collection<Permit> permits) {
        return permits.stream().mapToLong(p -> EpochNanos.of(p.slot())).sorted().toArray();
    }

    private static long countWithin(long[] slots, long from, long to) {
        return java.util.Arrays.stream(slots).filter(s -> s >= from && s < to).count();
    }

    private static int most(long[] slots, Duration per) {
        int most = 0;
        int tail = 0;
        for (int head = 0; head < slots.length; head++) {
            while (slots[head] - slots[tail] >= per.toNanos()) {
                tail++;
            }
            most = Math.max(most, head - tail + 1);
        }
        return most;
    }
}
