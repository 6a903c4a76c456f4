package dev.weir.throttler.testing;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class HarnessTest {
    @Test
    void scratch() {
        long t0 = System.nanoTime();
        int n = Integer.getInteger("weir.jobs", 20000);
        try (ThrottleHarness harness = ThrottleHarness.lean(UpstreamBuilder.named("gemini")
                .limit(1000, Duration.ofMinutes(1))
                .limit(50_000, Duration.ofHours(1))
                .limit(500_000, Duration.ofDays(1))
                .build())) {
            for (int i = 0; i < n; i++) harness.submit();
            long t1 = System.nanoTime();
            System.out.println("submitted " + n + " in " + (t1 - t0) / 1000000 + " ms");
            harness.dispatcher().latency(Duration.ofMillis(200)).start();
            harness.advanceUntilFinished(Duration.ofHours(30));
            System.out.println("finished in " + (System.nanoTime() - t1) / 1000000 + " ms; ticks " + harness.ticks + " "
                    + Duration.between(harness.slots().first(), harness.slots().last()));
            harness.slots().neverMoreThan(900).inAny(Duration.ofMinutes(1));
        }
    }
}
