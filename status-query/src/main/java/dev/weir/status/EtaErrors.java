package dev.weir.status;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * {@code weir_eta_error_seconds}: how far the ETA that a job was given when it joined its lane was from the slot of its call.
 * Thread-safe.
 */
final class EtaErrors implements StateListener {
    /** Jobs whose ETA is remembered; of a longer queue it is a sample. */
    static final int MOST_REMEMBERED = 20_000;
    /** What is read so late, after a restart, was given no ETA by this process. */
    static final Duration LATEST = Duration.ofSeconds(5);
    /** The stream thread reckons no more ETAs than that: of a burst it is a sample. */
    static final int MOST_A_SECOND = 1_000;

    private static final Duration[] BUCKETS = {
        Duration.ofMillis(100),
        Duration.ofMillis(250),
        Duration.ofMillis(500),
        Duration.ofSeconds(1),
        Duration.ofSeconds(2),
        Duration.ofSeconds(5),
        Duration.ofSeconds(15),
        Duration.ofMinutes(1),
        Duration.ofMinutes(5),
        Duration.ofHours(1)
    };

    private final Waits waits;
    private final MeterRegistry metrics;
    private final InstantSource clock;
    private final Cache<String, Instant> told =
            Caffeine.newBuilder().maximumSize(MOST_REMEMBERED).build();

    private final AtomicLong reckonedSecond = new AtomicLong();
    private final AtomicInteger reckoned = new AtomicInteger();

    EtaErrors(Waits waits, MeterRegistry metrics, InstantSource clock) {
        this.waits = waits;
        this.metrics = metrics;
        this.clock = clock;
    }

    @Override
    public void moved(@Nullable JobEvent from, JobEvent to) {
        if (to.status() == JobStatus.QUEUED) {
            Instant now = clock.instant();
            Instant eta = to.updatedAt().plus(LATEST).isBefore(now) || !mayReckon(now) ? null : waits.eta(to);
            if (eta != null) {
                told.put(to.id(), eta);
            }
            return;
        }
        Instant eta = told.getIfPresent(to.id());
        if (eta == null) {
            return;
        }
        told.invalidate(to.id());
        if (to.status() == JobStatus.DISPATCHED && to.dueAt() != null) {
            Timer.builder("weir.eta.error")
                    .description("How far the ETA given when the job joined its lane was from the slot of its call")
                    .tag("upstream", to.upstream())
                    .serviceLevelObjectives(BUCKETS)
                    .register(metrics)
                    .record(Duration.between(eta, to.dueAt()).abs());
        }
    }

    private boolean mayReckon(Instant now) {
        long second = now.getEpochSecond();
        if (reckonedSecond.getAndSet(second) != second) {
            reckoned.set(0);
        }
        return reckoned.incrementAndGet() <= MOST_A_SECOND;
    }
}
