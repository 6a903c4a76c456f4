package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import dev.weir.contracts.access.Caller;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.kafka.KafkaSettings;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CancellationsTest {
    private final AtomicInteger asked = new AtomicInteger();
    private final CompletableFuture<@Nullable KnownJob> answer = new CompletableFuture<>();
    private final AskAgain askAgain = new AskAgain();
    private final KafkaWriter noKafka = new KafkaWriter(
            new KafkaSettings("127.0.0.1:1", "test", Path.of("unused"), (short) 1, KafkaSettings.SESSION_TIMEOUT),
            InstantSource.system());
    private final Cancellations cancellations = new Cancellations(
            noKafka,
            id -> {
                asked.incrementAndGet();
                return answer;
            },
            askAgain,
            InstantSource.system(),
            new Random(1));

    @AfterEach
    void close() {
        askAgain.close();
        noKafka.close();
    }

    @Test
    void shouldAnswer503_whenTooManyWait_andTakeTheNextWhenTheyAreAnswered() {
        for (int i = 0; i < Cancellations.MOST_WAITING; i++) {
            var unused = cancel(UUID.randomUUID().toString());
        }

        assertThat(cancel(UUID.randomUUID().toString()).join().status()).isEqualTo(503);
        answer.complete(null);
        assertThat(cancel(UUID.randomUUID().toString()).join().status()).isEqualTo(404);
    }

    @Test
    void shouldAskOnce_whenOneJobIsCancelledTwiceAtOnce() {
        String id = UUID.randomUUID().toString();

        CompletableFuture<Reply> first = cancel(id);
        CompletableFuture<Reply> second = cancel(id);
        answer.complete(null);

        assertThat(first.join().status()).isEqualTo(404);
        assertThat(second.join()).isSameAs(first.join());
        assertThat(asked).hasValue(1);
    }

    private CompletableFuture<Reply> cancel(String id) {
        return cancellations.cancel(Caller.LOCAL, id);
    }
}
