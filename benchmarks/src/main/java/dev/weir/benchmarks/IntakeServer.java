package dev.weir.benchmarks;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import dev.weir.ingress.Ingress;
import io.javalin.Javalin;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** One of the two that {@code intake} measures, in a process of its own: says its port, and serves until it is ended. */
public final class IntakeServer {
    static final String UPSTREAM = "bench";
    static final String READY = "port ";

    private IntakeServer() {}

    /** @param args {@code weir}, or {@code echo} for a bare Javalin that answers with the body it got */
    public static void main(String[] args) throws InterruptedException {
        try {
            int port = args[0].equals("weir") ? weir() : echo();
            System.out.println(READY + port);
            System.out.flush();
            Thread.currentThread().join();
        } catch (ExecutionException | IOException | RuntimeException e) {
            // Else the broker's threads would go on, and whoever waits for the port would wait for ever.
            e.printStackTrace();
            System.exit(1);
        }
    }

    private static int echo() {
        Javalin javalin = Javalin.create(config -> {
            config.startup.showJavalinBanner = false;
            config.routes.post(
                    "/v1/jobs",
                    ctx -> ctx.status(202).contentType("application/json").result(ctx.bodyAsBytes()));
        });
        return javalin.start("127.0.0.1", 0).port();
    }

    private static void close(Broker broker) {
        try {
            broker.close();
        } catch (IOException e) {
            System.err.println("the broker's directory is not deleted: " + e.getMessage());
        }
    }

    /** The ingress and its broker in this process. */
    private static int weir() throws IOException, InterruptedException, ExecutionException {
        Broker broker = new Broker();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(broker)));
        UpstreamConfig upstream = new UpstreamConfig(
                UPSTREAM,
                URI.create("http://127.0.0.1:9"),
                UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1))),
                null);
        WeirConfig config = new WeirConfig(Map.of(UPSTREAM, upstream), WeirConfig.DEFAULT_MAX_BODY_BYTES);
        Upstreams upstreams = new Upstreams(config, broker.settings());
        upstreams.start();
        CompactedTopic<Forecast> forecasts = CompactedTopic.forecasts(broker.settings());
        forecasts.start();
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        Ingress ingress = new Ingress(
                config,
                broker.settings(),
                upstreams,
                forecasts,
                id -> CompletableFuture.<@Nullable KnownJob>completedFuture(null),
                (id, patience) -> CompletableFuture.completedFuture(null),
                metrics,
                InstantSource.system());
        HttpServer server = new HttpServer(
                "127.0.0.1",
                0,
                WeirConfig.DEFAULT_MAX_BODY_BYTES,
                List.of(ingress::routes),
                Map.of("ingress", ingress::notReady),
                metrics);
        Broker.await("the ingress", () -> ingress.notReady() == null);
        return server.port();
    }
}
