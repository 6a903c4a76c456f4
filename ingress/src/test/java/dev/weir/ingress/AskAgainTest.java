package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AskAgainTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final AskAgain askAgain = new AskAgain();
    private final AtomicInteger asked = new AtomicInteger();

    @AfterEach
    void close() {
        askAgain.close();
    }

    @Test
    void shouldAnswerWithoutAStep_whenTheAnswerIsThere() {
        CompletableFuture<@Nullable String> answer =
                askAgain.within(LONG, () -> CompletableFuture.completedFuture("yes"));

        assertThat(answer).isCompletedWithValue("yes");
    }

    @Test
    void shouldAskUntilThereIsAnAnswer_whenThereIsNoneOrAFailure() throws Exception {
        CompletableFuture<@Nullable String> answer = askAgain.within(LONG, () -> switch (asked.incrementAndGet()) {
            case 1 -> CompletableFuture.<@Nullable String>completedFuture(null);
            case 2 -> CompletableFuture.failedFuture(new IllegalStateException("away"));
            case 3 -> throw new IllegalStateException("away");
            default -> CompletableFuture.completedFuture("yes");
        });

        assertThat(answer.get(LONG.toSeconds(), TimeUnit.SECONDS)).isEqualTo("yes");
        assertThat(asked).hasValue(4);
    }

    @Test
    void shouldAnswerNull_whenTimeIsUp() throws Exception {
        CompletableFuture<@Nullable String> answer =
                askAgain.within(Duration.ofMillis(100), () -> new CompletableFuture<@Nullable String>());

        assertThat(answer.get(LONG.toSeconds(), TimeUnit.SECONDS)).isNull();
    }
}
