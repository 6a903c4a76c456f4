package dev.weir.dispatcher;

import dev.weir.contracts.config.Durations;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes permits, holds each to its slot, makes the call and reports the outcome. Thread-safe; {@link #start()} once.
 */
public final class Dispatcher implements AutoCloseable {
    /** How many permits, and bytes of them, wait for their slots here; beyond that none is taken. */
    public static final int MAX_HELD_PERMITS = 20_000;

    public static final long MAX_HELD_BYTES = 128L * 1024 * 1024;
    /**
     * How long a stop waits for open calls, unless said; what is open then is ended and reported as failed. It fits into the
     * half minute that Kubernetes gives.
     */
    public static final Duration DRAIN = Duration.ofSeconds(25);

    public static final Duration LONGEST_DRAIN = Duration.ofMinutes(10);

    /** A dispatcher whose clock is further from the broker's takes no permits: it would call at the wrong moments. */
    public static final Duration MAX_CLOCK_OFFSET = Duration.ofSeconds(1);

    private static final String GOING_DOWN = "the dispatcher that held it is going down";
    private static final Duration END_OPEN_CALLS = Duration.ofSeconds(1);
    private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);

    private final InstantSource clock;
    private final DispatcherMetrics metrics;
    private final ClockGuard clockGuard;
    private final SecretWatch secrets;
    private final Outcomes outcomes;
    private final UpstreamClient client;
    private final SlotTimer timer;
    private final PermitConsumer permits;
    private final OpenCalls open = new OpenCalls();
    private final Duration drain;

    /** @param drain how long {@link #close()} waits for open calls */
    public Dispatcher(
            WeirConfig config,
            KafkaSettings kafka,
            PrometheusMeterRegistry registry,
            InstantSource clock,
            Duration drain) {
        this.clock = clock;
        this.drain = drain;
        metrics = new DispatcherMetrics(registry);
        config.upstreams().keySet().forEach(metrics::upstream);
        clockGuard = new ClockGuard(kafka, clock, InstantSource.system());
        secrets = new SecretWatch(config);
        outcomes = new Outcomes(kafka);
        client = new UpstreamClient(config, clock, new SecureRandom(), metrics);
        timer = new SlotTimer(clock, this::due);
        permits = new PermitConsumer(kafka, clock, this::mayTake, this::taken);
        Gauge.builder("weir_permits_held", timer, SlotTimer::count)
                .description("Permits that wait here for their slots")
                .register(registry);
        Gauge.builder("weir_calls_open", open, OpenCalls::count)
                .description("Calls that wait for their answers")
                .register(registry);
    }

    public void start() {
        WarmUp.run(clock);
        client.start();
        timer.start();
        clockGuard.start();
        secrets.start();
        permits.start();
    }

    /** Null when permits are taken, else why not. */
    public @Nullable String notReady() {
        String wrong = clockGuard.wrong();
        return wrong != null ? wrong : permits.notReady();
    }

    private boolean mayTake() {
        return clockGuard.wrong() == null && timer.count() < MAX_HELD_PERMITS && timer.bytes() < MAX_HELD_BYTES;
    }

    private void taken(Held held) {
        if (!timer.offer(held)) {
            handBack(held.permit(), GOING_DOWN);
        }
    }

    /** On the timer's thread, which must never wait: outcomes go out from another one. */
    private void due(Held held) {
        String wrong = clockGuard.wrong();
        if (wrong != null) {
            // Its slot is no longer known to be now: the permit goes to somebody whose clock is right.
            client.executor().execute(() -> handBack(held.permit(), wrong));
            return;
        }
        open.begin();
        try {
            client.call(
                    held.permit(),
                    outcome -> client.executor().execute(() -> {
                        try {
                            report(outcome);
                        } finally {
                            open.end();
                        }
                    }));
        } catch (RuntimeException e) {
            open.end();
            LOG.error(
                    "job {} of {} could not be called; the throttle will find it in doubt and give it another permit",
                    held.permit().jobId(),
                    held.permit().upstream(),
                    e);
        }
    }

    private void handBack(Permit permit, String reason) {
        report(Outcomes.of(permit, Outcome.Kind.RETURNED, null, clock.instant(), null, reason));
    }

    private void report(Outcome outcome) {
        metrics.ended(outcome);
        outcomes.send(outcome);
        switch (outcome.kind()) {
            case REFUSED ->
                LOG.warn(
                        "job {} attempt {} of {} is refused, nothing was called: {}",
                        outcome.jobId(),
                        outcome.attempt(),
                        outcome.upstream(),
                        outcome.error());
            case FAILED ->
                LOG.info(
                        "job {} attempt {} of {} failed: {}",
                        outcome.jobId(),
                        outcome.attempt(),
                        outcome.upstream(),
                        outcome.error());
            case RETURNED ->
                LOG.debug(
                        "job {} attempt {} of {}: permit {} handed back: {}",
                        outcome.jobId(),
                        outcome.attempt(),
                        outcome.upstream(),
                        outcome.permit(),
                        outcome.error());
            case ANSWERED -> {}
        }
    }

    /** Takes no more, hands back what has not started, waits a bounded time for open calls, flushes the outcomes. */
    @Override
    public void close() {
        permits.close();
        timer.close();
        List<Held> unused = timer.drain();
        unused.forEach(held -> handBack(held.permit(), GOING_DOWN));
        LOG.info(
                "draining: no more permits are taken, {} unused ones are handed back, {} calls are open and have {} to"
                        + " finish",
                unused.size(),
                open.count(),
                Durations.text(drain));
        if (!open.awaitNone(drain)) {
            LOG.warn(
                    "{} calls are still open after {}; they are ended and reported as failed, their retries follow the"
                            + " schedule. Calls that take longer need a longer WEIR_DRAIN",
                    open.count(),
                    Durations.text(drain));
        }
        client.abortOpen();
        if (!open.awaitNone(END_OPEN_CALLS)) {
            LOG.error("{} calls did not end; the throttle will find their jobs in doubt", open.count());
        }
        client.close();
        outcomes.close();
        secrets.close();
        clockGuard.close();
    }
}
