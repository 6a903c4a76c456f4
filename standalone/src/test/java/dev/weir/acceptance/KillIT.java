package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.standalone.fake.FakeUpstream;
import dev.weir.standalone.fake.Stats;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** kill -9 in the middle: nothing is lost, nothing is over. {@code -Dweir.jobs=3000} for a longer run. */
@Tag("alone")
class KillIT {
    private static final int JOBS = Integer.getInteger("weir.jobs", 450);

    @TempDir
    Path dir;

    @Test
    void shouldFinishEveryJob_andCallTwiceOnlyWhatWasInFlight_whenItIsKilled() throws Exception {
        try (FakeUpstream upstream = PaceIT.upstream();
                WeirProcess weir = new WeirProcess(dir, PaceIT.thousandAMinute(upstream))) {
            weir.start();
            List<String> jobs = weir.submit("counted", JOBS);
            await().atMost(Duration.ofSeconds(60L + JOBS / 15))
                    .until(() -> upstream.log().calls() >= JOBS / 3);
            long inFlight =
                    weir.get("/v1/upstreams/counted").at("/queue/inFlight").asLong();

            weir.kill();
            weir.start();

            for (String job : jobs) {
                await().pollDelay(Duration.ZERO)
                        .atMost(Duration.ofSeconds(90L + JOBS / 10))
                        .until(() -> weir.get("/v1/jobs/" + job)
                                .path("status")
                                .asText()
                                .equals("succeeded"));
            }
            Stats stats = upstream.log().stats();
            System.out.println("in flight at the last look before the kill: " + inFlight + "; " + stats);
            assertThat(stats.distinctJobs()).isEqualTo(JOBS);
            assertThat(stats.mostInRollingMinute()).isLessThanOrEqualTo(1000);
            // Permits are given 0.9 s ahead, and each was good for one call; a little room for what changed since the
            // look.
            assertThat(stats.duplicates()).isLessThanOrEqualTo(inFlight + 15);
            JsonNode job = weir.get("/v1/jobs/" + jobs.get(0));
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> weir.get("/v1/jobs/" + jobs.get(0))
                                    .at("/result/status")
                                    .asInt()
                            == 200);
            assertThat(job.path("attempts").asInt()).isPositive();
            assertThat(weir.stop()).as("exit status after a polite stop").isZero();
        }
    }
}
