package dev.weir.benchmarks;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.dispatcher.Dispatcher;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** One dispatcher in a process of its own, without a results writer; {@code ready} on standard output when it takes permits. */
final class DispatcherProcess {
    static final String READY = "ready";
    private static final Duration LOOK = Duration.ofMillis(50);

    private DispatcherProcess() {}

    /** Where the broker is, and the upstream. */
    public static void main(String[] args) throws Exception {
        KafkaSettings kafka =
                new KafkaSettings(args[0], "benchmark", Path.of("."), (short) 1, KafkaSettings.SESSION_TIMEOUT);
        UpstreamConfig upstream = new UpstreamConfig(
                Quota.UPSTREAM, URI.create(args[1]), UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1))), null);
        try (Dispatcher dispatcher = new Dispatcher(
                new WeirConfig(Map.of(upstream.name(), upstream), WeirConfig.DEFAULT_MAX_BODY_BYTES),
                kafka,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                new AnchoredClock(),
                Dispatcher.DRAIN)) {
            dispatcher.start();
            while (dispatcher.notReady() != null) {
                Broker.pause(LOOK);
            }
            System.out.println(READY);
            // Until its standard input ends: the process that started it is gone, or has enough.
            while (System.in.read() >= 0) {}
        }
    }
}
