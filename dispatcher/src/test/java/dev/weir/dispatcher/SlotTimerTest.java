package dev.weir.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Permit;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class SlotTimerTest {
    private static final Duration TTL = Duration.ofSeconds(3);
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    @Test
    void shouldHandOnInOrderAndNeverEarly_whenPermitsComeOutOfOrder() {
        InstantSource clock = new AnchoredClock();
        ConcurrentLinkedQueue<Instant> slots = new ConcurrentLinkedQueue<>();
        ConcurrentLinkedQueue<Duration> lateness = new ConcurrentLinkedQueue<>();
        Instant first = clock.instant().plusMillis(100);
        List<Held> permits = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            permits.add(held(first.plusMillis(i * 10L)));
        }
        Collections.shuffle(permits, new Random(42));

        try (SlotTimer timer = new SlotTimer(clock, held -> {
            lateness.add(Duration.between(held.permit().slot(), clock.instant()));
            slots.add(held.permit().slot());
        })) {
            timer.start();
            permits.forEach(timer::offer);
            await().atMost(PATIENCE).until(() -> slots.size() == 100);

            assertThat(new ArrayList<>(slots)).isSorted();
            assertThat(lateness).noneMatch(Duration::isNegative);
            List<Duration> sorted = lateness.stream().sorted().toList();
            // Generous: this machine has other work too. An idle one stays below a millisecond.
            assertThat(sorted.get(50)).isLessThan(Duration.ofMillis(20));
            assertThat(timer.bytes()).isZero();
        }
    }

    @Test
    void shouldHandOnNothing_whenTheClockHasNotReachedTheSlot() {
        Instant start = Instant.parse("2026-11-22T10:00:00Z");
        AtomicReference<Instant> now = new AtomicReference<>(start);
        ConcurrentLinkedQueue<Held> due = new ConcurrentLinkedQueue<>();

        try (SlotTimer timer = new SlotTimer(now::get, due::add)) {
            timer.start();
            timer.offer(held(start.plusMillis(1)));
            timer.offer(held(start));
            await().atMost(PATIENCE).until(() -> due.size() == 1);
            assertThat(timer.count()).isEqualTo(1);

            now.set(start.plusSeconds(60));

            await().atMost(PATIENCE).until(() -> due.size() == 2);
        }
    }

    @Test
    void shouldGoOn_whenOnePermitCannotBeHandled() {
        Instant start = Instant.parse("2026-11-22T10:00:00Z");
        ConcurrentLinkedQueue<Held> due = new ConcurrentLinkedQueue<>();

        try (SlotTimer timer = new SlotTimer(() -> start, held -> {
            due.add(held);
            if (due.size() == 1) {
                throw new IllegalStateException("a fault, on purpose");
            }
        })) {
            timer.start();
            timer.offer(held(start));
            timer.offer(held(start));

            await().atMost(PATIENCE).until(() -> due.size() == 2);
        }
    }

    @Test
    void shouldLeaveWhatWaits_whenItIsClosed() {
        Instant start = Instant.parse("2026-11-22T10:00:00Z");
        SlotTimer timer = new SlotTimer(() -> start, held -> {});
        timer.start();
        timer.offer(held(start.plusSeconds(5)));

        timer.close();

        assertThat(timer.offer(held(start.plusSeconds(6)))).isFalse();
        assertThat(timer.drain()).hasSize(1);
    }

    private static Held held(Instant slot) {
        Permit permit = Upstreams.permit(Upstreams.call("GET", "/", null), slot, TTL, TTL);
        return new Held(permit, 100);
    }
}
