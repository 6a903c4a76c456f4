package dev.weir.standalone;

import dev.weir.contracts.access.Gate;
import dev.weir.contracts.access.PeerToken;
import dev.weir.contracts.config.DatabaseSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.db.ConnectionBudget;
import dev.weir.contracts.db.Database;
import dev.weir.contracts.http.FinishedJobs;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.http.KnownJobs;
import dev.weir.contracts.kafka.BrokerClock;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.time.AnchoredClock;
import dev.weir.contracts.wire.Forecast;
import dev.weir.dispatcher.Dispatcher;
import dev.weir.dispatcher.ResultsWriter;
import dev.weir.ingress.HttpJobs;
import dev.weir.ingress.Ingress;
import dev.weir.status.StatusQuery;
import dev.weir.throttler.Throttler;
import io.javalin.config.RoutesConfig;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The roles of one process, wired and started against a Kafka and a PostgreSQL, with one HTTP server before them. Closing
 * goes the other way round.
 */
public final class Roles implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Roles.class);

    /**
     * Where this process finds the others.
     *
     * @param databaseUrl needed by the dispatcher and status roles
     * @param statusUrl where an ingress without the status role asks for jobs it has seen before
     * @param advertised {@code host:port} at which other processes reach this one's HTTP; null when there are none
     * @param leave how long it says that it is not ready, and serves on, before it stops: time for load balancers to see it
     * @param drain how long a dispatcher that stops waits for its open calls
     */
    public record Surroundings(
            WeirConfig config,
            KafkaSettings kafka,
            @Nullable String databaseUrl,
            @Nullable URI statusUrl,
            String host,
            int port,
            @Nullable String advertised,
            Duration drain,
            Duration leave) {}

    private final Lifecycle parts;
    private final HttpServer http;

    /** @param parts gets all that starts; closed already when this throws */
    public Roles(Set<Role> roles, Surroundings where, Lifecycle parts) throws InterruptedException {
        this.parts = parts;
        try {
            this.http = start(roles, where);
        } catch (RuntimeException | Error | InterruptedException e) {
            parts.close();
            throw e;
        }
    }

    /** Of the HTTP server. */
    public int port() {
        return http.port();
    }

    @Override
    public void close() {
        parts.close();
    }

    private HttpServer start(Set<Role> roles, Surroundings where) throws InterruptedException {
        WeirConfig config = where.config();
        KafkaSettings kafka = where.kafka();
        try (Admin admin = Admin.create(kafka.common())) {
            Topics.ensure(admin, kafka.replication());
        }
        AnchoredClock clock = clock(roles, kafka);
        PrometheusMeterRegistry metrics = metrics();
        List<Consumer<RoutesConfig>> routes = new ArrayList<>();
        Map<String, Supplier<@Nullable String>> readiness = new LinkedHashMap<>();

        Upstreams upstreams = parts.add("upstreams", new Upstreams(config, kafka));
        CompactedTopic<Forecast> forecasts = parts.add("forecasts", CompactedTopic.forecasts(kafka));
        boolean answersClients = roles.contains(Role.INGRESS) || roles.contains(Role.STATUS);
        if (answersClients || roles.contains(Role.THROTTLER)) {
            upstreams.start();
            readiness.put("upstreams", upstreams::notReady);
        }
        if (answersClients) {
            forecasts.start();
            readiness.put("forecasts", forecasts::notReady);
        }
        Database database = roles.contains(Role.DISPATCHER) || roles.contains(Role.STATUS)
                ? database(roles, where, metrics, readiness)
                : null;
        if (roles.contains(Role.THROTTLER)) {
            Throttler throttler = parts.add("throttler", new Throttler(config, kafka, upstreams, metrics, clock));
            throttler.start();
            readiness.put("throttler", throttler::notReady);
        }
        if (roles.contains(Role.DISPATCHER) && database != null) {
            ResultsWriter results = parts.add(
                    "results-writer",
                    new ResultsWriter(database, kafka, config.results().retention(), metrics, clock));
            results.start();
            readiness.put("results-writer", results::notReady);
            Dispatcher dispatcher = parts.add(
                    "dispatcher",
                    new Dispatcher(config, kafka, metrics, clock, where.drain()),
                    where.drain().plus(Lifecycle.CLOSE_TIMEOUT));
            dispatcher.start();
            readiness.put("dispatcher", dispatcher::notReady);
        }
        StatusQuery answers = null;
        KnownJobs knownJobs = null;
        FinishedJobs finishedJobs = null;
        if (roles.contains(Role.STATUS) && database != null) {
            StatusQuery status = parts.add(
                    "status",
                    new StatusQuery(
                            kafka,
                            upstreams,
                            forecasts,
                            database,
                            metrics,
                            clock,
                            where.advertised(),
                            PeerToken.of(config.clients())));
            answers = status;
            status.start();
            routes.add(status::routes);
            readiness.put("status", status::notReady);
            knownJobs = status.knownJobs();
            finishedJobs = status.finishedJobs();
        }
        Ingress ingress = null;
        if (roles.contains(Role.INGRESS)) {
            if (knownJobs == null || finishedJobs == null) {
                if (where.statusUrl() == null) {
                    throw new StartException("the ingress needs WEIR_STATUS_URL: where the status role answers");
                }
                HttpJobs status = new HttpJobs(where.statusUrl(), PeerToken.of(config.clients()));
                knownJobs = status;
                finishedJobs = status;
            }
            ingress = parts.add(
                    "ingress",
                    new Ingress(config, kafka, upstreams, forecasts, knownJobs, finishedJobs, metrics, clock));
            routes.add(ingress::routes);
            readiness.put("ingress", ingress::notReady);
        }
        Gate gate = new Gate(config.clients(), metrics);
        if (answersClients) {
            say(config, gate, where.host());
        }
        Ports.requireFree(where.host(), where.port(), "Weir's HTTP server", "--port or WEIR_PORT");
        HttpServer server = parts.add(
                "http",
                new HttpServer(where.host(), where.port(), config.maxBodyBytes(), routes, readiness, metrics, gate));
        Ingress takes = ingress;
        StatusQuery tells = answers;
        // The last one in, so the first to close.
        parts.add(
                "leave",
                () -> leave(server, takes, tells, where.leave()),
                where.leave().plus(Lifecycle.CLOSE_TIMEOUT));
        return server;
    }

    private static void leave(HttpServer server, @Nullable Ingress ingress, @Nullable StatusQuery status, Duration time)
            throws InterruptedException {
        server.leave();
        Thread.sleep(time.toMillis());
        if (ingress != null) {
            ingress.drain();
        }
        if (status != null) {
            status.drain();
        }
    }

    private static void say(WeirConfig config, Gate gate, String host) {
        LOG.info(gate.describe());
        if (config.clients().isEmpty()
                && !InetAddress.getLoopbackAddress().getHostAddress().equals(host)) {
            LOG.warn(
                    "it listens on {}, but without clients in the configuration calls from other machines are answered 403,"
                            + " an ingress's questions to a status service among them",
                    host);
        }
    }

    /**
     * Whoever gives or uses permits does it by the broker's time: two clocks that are each a little off would let the upstream
     * see a window's calls in less than the window. A clock that is further off than its role allows stays as it is, and the
     * role says so and does nothing.
     */
    private static AnchoredClock clock(Set<Role> roles, KafkaSettings kafka) throws InterruptedException {
        AnchoredClock clock = new AnchoredClock();
        Duration most = roles.contains(Role.DISPATCHER)
                ? Dispatcher.MAX_CLOCK_OFFSET
                : roles.contains(Role.THROTTLER) ? Throttler.MAX_CLOCK_OFFSET : Duration.ZERO;
        if (kafka.ownBroker() || most.isZero()) {
            return clock;
        }
        try (BrokerClock broker = new BrokerClock(kafka)) {
            Duration offset = broker.offset(clock);
            if (offset.abs().compareTo(most) <= 0) {
                LOG.info("this process goes by the broker's time, {} ms from its own clock's", offset.toMillis());
                return clock.plus(offset);
            }
        } catch (IllegalStateException e) {
            LOG.warn("the broker's time is not known yet, this process goes by its own clock: {}", e.getMessage());
        }
        return clock;
    }

    /** @throws StartException when the connections of this process would exceed the budget of all */
    private Database database(
            Set<Role> roles,
            Surroundings where,
            PrometheusMeterRegistry metrics,
            Map<String, Supplier<@Nullable String>> readiness) {
        if (where.databaseUrl() == null) {
            throw new StartException(
                    "this role needs WEIR_DATABASE_URL: postgresql://user:password@host:port/database");
        }
        Database database = parts.add(
                "database", new Database(where.databaseUrl(), ConnectionBudget.WITHOUT_CLAIM, "weir", metrics));
        DatabaseSettings settings = where.config().database();
        int share = (roles.contains(Role.DISPATCHER) ? settings.perDispatcher() : 0)
                + (roles.contains(Role.STATUS) ? settings.perStatus() : 0);
        String name =
                roles.size() > 1 ? "standalone" : roles.iterator().next().name().toLowerCase(Locale.ROOT);
        ConnectionBudget budget = parts.add(
                "connection-budget",
                new ConnectionBudget(database, where.kafka().instance(), name, share, settings.connections()));
        String refused = budget.start();
        if (refused != null) {
            throw new StartException(refused);
        }
        readiness.put("database", budget::notReady);
        return database;
    }

    private PrometheusMeterRegistry metrics() {
        PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        parts.add("metrics", metrics::close);
        new JvmMemoryMetrics().bindTo(metrics);
        new JvmThreadMetrics().bindTo(metrics);
        new ProcessorMetrics().bindTo(metrics);
        JvmGcMetrics gc = parts.add("gc-metrics", new JvmGcMetrics());
        gc.bindTo(metrics);
        return metrics;
    }
}
