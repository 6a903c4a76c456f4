package dev.weir.status;

import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.db.Database;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.time.AnchoredClock;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The status service in a process of its own, to be killed: prints its port and runs on. */
final class StatusProcess {
    private StatusProcess() {}

    public static void main(String[] args) {
        KafkaSettings kafka =
                new KafkaSettings(args[0], "it", Path.of(args[1]), (short) 1, KafkaSettings.SESSION_TIMEOUT);
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        StatusQuery status = new StatusQuery(
                kafka,
                new Upstreams(new WeirConfig(Map.of(), WeirConfig.DEFAULT_MAX_BODY_BYTES), kafka),
                CompactedTopic.forecasts(kafka),
                new Database("jdbc:postgresql://127.0.0.1:1/none", 2, "it", metrics),
                metrics,
                new AnchoredClock(),
                null,
                null);
        HttpServer server = new HttpServer(
                "127.0.0.1", 0, 1024, List.of(status::routes), Map.of("status", status::notReady), metrics);
        status.start();
        System.out.println("port " + server.port());
    }
}
