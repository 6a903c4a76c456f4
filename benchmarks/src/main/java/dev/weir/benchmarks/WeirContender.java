package dev.weir.benchmarks;

import dev.weir.contracts.config.CircuitBreakerSettings;
import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.RetrySettings;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.Weights;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.Throttler;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/**
 * The throttler's run: under a quota that gives nothing, all in; under one that holds nothing back, all out; and the outcomes
 * of all. Each is a run of its own of the real {@link Throttler} on what the one before left.
 */
final class WeirContender implements Contender {
    private static final Limit NOTHING = new Limit(1, Limit.LONGEST);
    private static final Limit EVERYTHING = new Limit(Limit.MOST_PERMITS, Limit.SHORTEST);
    /** No call is in doubt in a run. */
    private static final Duration TIMEOUT = Duration.ofHours(1);

    private static final Answer ANSWER = new Answer(200, Map.of("content-type", "application/json"), "{}", null, false);

    private final List<String> upstreams;

    /** @param upstreams as many as it takes for all jobs to be in flight at once */
    WeirContender(List<String> upstreams) {
        this.upstreams = upstreams;
    }

    @Override
    public String name() {
        return "throttler";
    }

    @Override
    public Map<Phase, Rate> run(Broker broker, int jobs, Phase last) {
        Map<Phase, Rate> rates = new EnumMap<>(Phase.class);
        rates.put(
                Phase.INTAKE,
                under(
                        NOTHING,
                        broker,
                        () -> Contender.intake(broker, Throttler.APPLICATION_ID, Topics.REQUESTS, jobs)));
        if (last == Phase.INTAKE) {
            return rates;
        }
        // One of each upstream went out while they came in.
        long before = broker.committedEnd(Topics.DISPATCH);
        rates.put(
                Phase.RELEASE,
                under(
                        EVERYTHING,
                        broker,
                        () -> Contender.output(broker, Topics.DISPATCH, before, jobs - upstreams.size())));
        broker.requireRecords(Topics.DISPATCH, jobs);
        if (last == Phase.RELEASE) {
            return rates;
        }
        answerAll(broker);
        rates.put(
                Phase.OUTCOMES,
                under(
                        NOTHING,
                        broker,
                        () -> Contender.intake(broker, Throttler.APPLICATION_ID, Topics.OUTCOMES, jobs)));
        return rates;
    }

    private Rate under(Limit limit, Broker broker, Supplier<Rate> measurement) {
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        WeirConfig config = config(limit);
        try (Upstreams upstreamsInForce = new Upstreams(config, broker.settings());
                Throttler throttler =
                        new Throttler(config, broker.settings(), upstreamsInForce, metrics, new AnchoredClock())) {
            upstreamsInForce.start();
            throttler.start();
            return measurement.get();
        }
    }

    private static void answerAll(Broker broker) {
        try (Feed feed = broker.feed()) {
            broker.read(Topics.DISPATCH, record -> {
                Permit permit = Json.read(record.value(), Permit.class);
                Outcome outcome = new Outcome(
                        Outcome.VERSION,
                        permit.jobId(),
                        permit.tenant(),
                        permit.upstream(),
                        permit.permit(),
                        permit.attempt(),
                        Outcome.Kind.ANSWERED,
                        permit.slot(),
                        permit.slot(),
                        permit.slot(),
                        ANSWER,
                        null);
                feed.send(Topics.OUTCOMES, permit.upstream(), Json.bytes(outcome));
            });
        }
    }

    private WeirConfig config(Limit limit) {
        return new WeirConfig(
                upstreams.stream()
                        .map(name -> upstream(name, limit))
                        .collect(Collectors.toMap(UpstreamConfig::name, Function.identity())),
                WeirConfig.DEFAULT_MAX_BODY_BYTES);
    }

    private static UpstreamConfig upstream(String name, Limit limit) {
        UpstreamSettings settings = new UpstreamSettings(
                List.of(limit),
                BigDecimal.ONE,
                0,
                UpstreamSettings.MOST_IN_FLIGHT,
                Duration.ofMillis(100),
                TIMEOUT,
                RetrySettings.DEFAULT,
                CircuitBreakerSettings.DEFAULT,
                Weights.DEFAULT);
        return new UpstreamConfig(name, URI.create("http://127.0.0.1:1"), settings, null);
    }
}
