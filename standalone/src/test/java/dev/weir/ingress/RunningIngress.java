package dev.weir.ingress;

import static org.awaitility.Awaitility.await;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/** The ingress role in this process, on a real broker; what a status service would tell is for the test to say. */
final class RunningIngress implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(30);
    static final int MAX_BODY_BYTES = 1024 * 1024;

    final Map<String, KnownJob> known = new ConcurrentHashMap<>();
    final Map<String, CompletableFuture<byte @Nullable []>> ends = new ConcurrentHashMap<>();
    final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    final KafkaSettings settings;
    final Upstreams upstreams;
    final CompactedTopic<Forecast> forecasts;
    private final Ingress ingress;
    private final HttpServer server;

    /** Makes the topics if need be, and waits until it is ready. */
    RunningIngress(String bootstrapServers, Path dir, String... names) throws Exception {
        settings = new KafkaSettings(bootstrapServers, "it", dir, (short) 1, KafkaSettings.SESSION_TIMEOUT);
        try (Admin admin = Admin.create(settings.common())) {
            Topics.ensure(admin, (short) 1);
        }
        Map<String, UpstreamConfig> configs = new HashMap<>();
        for (String name : names) {
            configs.put(name, upstream(name));
        }
        WeirConfig config = new WeirConfig(configs, MAX_BODY_BYTES);
        upstreams = new Upstreams(config, settings);
        upstreams.start();
        forecasts = CompactedTopic.forecasts(settings);
        forecasts.start();
        ingress = new Ingress(
                config,
                settings,
                upstreams,
                forecasts,
                id -> CompletableFuture.<@Nullable KnownJob>completedFuture(known.get(id)),
                (id, patience) -> ends.computeIfAbsent(id, job -> new CompletableFuture<>())
                        .copy()
                        .completeOnTimeout(null, patience.toMillis(), java.util.concurrent.TimeUnit.MILLISECONDS),
                metrics,
                InstantSource.system());
        server = new HttpServer(
                "127.0.0.1",
                0,
                MAX_BODY_BYTES,
                List.of(ingress::routes),
                Map.of("ingress", ingress::notReady),
                metrics);
        await().atMost(PATIENCE).until(() -> ingress.notReady() == null);
    }

    int port() {
        return server.port();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    /** As at a shutdown, before the server closes. */
    void drain() {
        ingress.drain();
    }

    List<ConsumerRecord<String, byte[]>> all(String topic) {
        List<ConsumerRecord<String, byte[]>> records = new ArrayList<>();
        forEach(topic, records::add);
        return records;
    }

    /** Every record that is in the topic now. */
    void forEach(String topic, Consumer<ConsumerRecord<String, byte[]>> each) {
        try (KafkaConsumer<String, byte[]> consumer =
                new KafkaConsumer<>(settings.common(), new StringDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(info -> new TopicPartition(info.topic(), info.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(each);
            }
        }
    }

    static UpstreamConfig upstream(String name) {
        return new UpstreamConfig(
                name,
                URI.create("http://127.0.0.1:9"),
                UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1))),
                null);
    }

    @Override
    public void close() {
        ingress.drain();
        server.close();
        ingress.close();
        forecasts.close();
        upstreams.close();
    }
}
