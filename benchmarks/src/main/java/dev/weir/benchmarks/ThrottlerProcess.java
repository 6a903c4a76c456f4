package dev.weir.benchmarks;

import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.throttler.Throttler;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/** A throttler in a Java process of its own, so that its heap is its own and it can be killed. */
final class ThrottlerProcess {
    private final Process process;

    ThrottlerProcess(Broker broker, String heap) throws IOException {
        KafkaSettings settings = broker.settings();
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + heap,
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ThrottlerProcess.class.getName(),
                        settings.bootstrapServers(),
                        settings.stateDir().toString())
                .inheritIO()
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
    }

    /** The process itself: the throttler alone, until it is killed. */
    public static void main(String[] args) throws InterruptedException {
        KafkaSettings settings = new KafkaSettings(
                args[0], "benchmark", Path.of(args[1]), (short) 1, KafkaSettings.SESSION_TIMEOUT, true);
        UpstreamConfig upstream = new UpstreamConfig(
                Quota.UPSTREAM, java.net.URI.create("http://127.0.0.1:1"), BacklogBenchmark.SETTINGS, null);
        WeirConfig config = new WeirConfig(Map.of(upstream.name(), upstream), WeirConfig.DEFAULT_MAX_BODY_BYTES);
        Upstreams upstreams = new Upstreams(config, settings);
        upstreams.start();
        Throttler throttler = new Throttler(
                config,
                settings,
                upstreams,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT),
                new AnchoredClock());
        throttler.start();
        new CountDownLatch(1).await();
        throttler.close();
    }

    void requireAlive() {
        if (!process.isAlive()) {
            throw new IllegalStateException("the throttler's process ended with " + process.exitValue());
        }
    }

    /** The most memory that it had at once, heap and all, as Linux counts it. */
    String memory() throws IOException {
        Path status = Path.of("/proc", Long.toString(process.pid()), "status");
        return Files.exists(status)
                ? Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("VmHWM") || line.startsWith("VmRSS"))
                        .map(line -> line.replaceAll("\\s+", " "))
                        .collect(Collectors.joining(", "))
                : "not known on this system";
    }

    /** As kill -9 does. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
