package dev.weir.throttler.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The example in the module's README is these very lines. */
class ReadmeTest {
    @Test
    void shouldHold_asTheReadmeSays() {
        try (ThrottleHarness throttle = ThrottleHarness.withLimits(new Limit(1000, Duration.ofMinutes(1)))) {
            throttle.dispatcher().latency(Duration.ofMillis(300)).start();
            throttle.submit(2000);
            JobRequest single = throttle.job().tenant("acme").submit();

            throttle.advance(Duration.ofSeconds(30)).restart();
            assertThat(throttle.statusOf(single)).isEqualTo(JobStatus.SUCCEEDED);
            throttle.advanceUntilFinished(Duration.ofMinutes(3));
            throttle.slots().neverMoreThan(900).inAny(Duration.ofMinutes(1));
        }
    }

    @Test
    void shouldShowLinesThatCompile() throws IOException {
        String readme = Files.readString(Path.of("README.md"));
        String source = Files.readString(Path.of("src/test/java/dev/weir/throttler/testing/ReadmeTest.java"));

        List<String> examples = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(readme)
                .results()
                .map(MatchResult::group)
                .toList();

        assertThat(examples).hasSize(1);
        String lines =
                examples.get(0).replace("```java\n", "").replace("```", "").strip();
        assertThat(unindented(source)).contains(unindented(lines));
    }

    private static String unindented(String text) {
        return text.replaceAll("(?m)^ +", "");
    }
}
