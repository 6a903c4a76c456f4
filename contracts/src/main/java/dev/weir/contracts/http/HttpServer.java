package dev.weir.contracts.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.contracts.access.Gate;
import dev.weir.contracts.config.Clients;
import dev.weir.contracts.kafka.Json;
import io.javalin.Javalin;
import io.javalin.compression.CompressionStrategy;
import io.javalin.config.RoutesConfig;
import io.javalin.http.ContentTooLargeResponse;
import io.javalin.http.HandlerType;
import io.javalin.http.HttpResponseException;
import io.javalin.router.ParsedEndpoint;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.eclipse.jetty.http.HttpException;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.GracefulHandler;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The HTTP server of one process: the routes of its roles, and beside them {@code /healthz}, {@code /readyz},
 * {@code /metrics}, {@code /openapi.json} and {@code /docs}. Every error is a {@link Problem}.
 */
public final class HttpServer implements AutoCloseable {
    /**
     * Of one server. The work is asynchronous, so few are needed; and each more is one that sleeps and is woken instead of
     * finding the next task when it has done the last.
     */
    public static final int THREADS = Math.max(8, 2 * Runtime.getRuntime().availableProcessors());

    public static final int MAX_HEADER_BYTES = 16 * 1024;
    /** More wait to be accepted, each for the next one that closes. */
    public static final int MAX_CONNECTIONS = 8_192;

    private static final int MAX_ACCEPT_QUEUE = 1_024;
    /** While there are as many as may be, whoever is idle makes room sooner. */
    private static final Duration IDLE_TIMEOUT_WHEN_FULL = Duration.ofSeconds(2);
    /** For requests that had come in when the server stops: a record has this long to be durable, and a little more. */
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(12);
    /** From the first byte of a request to the end of its headers, and up to one look more. */
    public static final Duration HEADER_TIMEOUT = Duration.ofSeconds(15);

    private static final Duration LOOK_AT_HEADERS_EVERY = Duration.ofSeconds(5);
    /** Between two requests of one connection. */
    public static final Duration IDLE_TIMEOUT = Duration.ofSeconds(60);
    /** Within a request, while more of a body is waited for, or someone who reads the answer. */
    public static final Duration STALL_TIMEOUT = Duration.ofSeconds(10);
    /** An asynchronous answer that takes longer is given up. */
    public static final Duration ASYNC_TIMEOUT = Duration.ofSeconds(90);

    private static final Logger LOG = LoggerFactory.getLogger(HttpServer.class);
    private final Javalin javalin;
    private volatile boolean leaving;

    /** Starts listening, without clients: for calls from this machine alone. */
    public HttpServer(
            String host,
            int port,
            long maxBodyBytes,
            List<Consumer<RoutesConfig>> roles,
            Map<String, Supplier<@Nullable String>> readiness,
            PrometheusMeterRegistry metrics) {
        this(host, port, maxBodyBytes, roles, readiness, metrics, new Gate(Clients.NONE, metrics));
    }

    /**
     * Starts listening.
     *
     * @param host the address to listen on, {@code 0.0.0.0} for all
     * @param port 0 for a free one, see {@link #port()}
     * @param maxBodyBytes a larger request body is 413
     * @param roles the routes of each role that this process plays
     * @param readiness by name: null when ready, else why not, for {@code /readyz}
     * @param gate decides who may use which route
     */
    public HttpServer(
            String host,
            int port,
            long maxBodyBytes,
            List<Consumer<RoutesConfig>> roles,
            Map<String, Supplier<@Nullable String>> readiness,
            PrometheusMeterRegistry metrics,
            Gate gate) {
        byte[] openApi = DocsPage.read("/openapi.json");
        QueuedThreadPool threads = new QueuedThreadPool(THREADS, THREADS);
        threads.setName("http");
        RequestsUnderWay requests = new RequestsUnderWay();
        javalin = Javalin.create(config -> {
            config.startup.showJavalinBanner = false;
            config.startup.showOldJavalinVersionWarning = false;
            config.jetty.threadPool = threads;
            config.http.maxRequestSize = maxBodyBytes;
            config.http.asyncTimeout = ASYNC_TIMEOUT.toMillis();
            config.http.prefer405over404 = true;
            config.http.compressionStrategy = CompressionStrategy.NONE;
            config.jetty.modifyHttpConfiguration(http -> {
                http.setSendServerVersion(false);
                http.setRequestHeaderSize(MAX_HEADER_BYTES);
                http.setIdleTimeout(STALL_TIMEOUT.toMillis());
            });
            config.jetty.modifyServer(server -> {
                server.setStopTimeout(STOP_TIMEOUT.toMillis());
                server.setErrorHandler(new JettyErrors());
                // Javalin's own statistics, which nobody reads.
                server.setHandler((Handler) null);
                // What has come in is answered before it stops; what comes then is 503.
                server.insertHandler(new GracefulHandler());
                server.insertHandler(requests);
            });
            config.jetty.addConnector((server, http) -> connector(server, http, host, port, requests));
            config.jetty.modifyServletContextHandler(context -> {
                context.setErrorHandler(new JettyErrors());
                context.setSessionHandler(new NoSessions());
            });
            config.routes.beforeMatched(gate);
            config.routes.get(
                    "/healthz", ctx -> ctx.contentType("application/json").result("{\"status\":\"up\"}"));
            config.routes.get("/readyz", ctx -> {
                Map<String, String> reasons = new LinkedHashMap<>();
                if (leaving) {
                    reasons.put("http", "shutting down");
                }
                readiness.forEach((name, check) -> {
                    String reason = check.get();
                    if (reason != null) {
                        reasons.put(name, reason);
                    }
                });
                ctx.status(reasons.isEmpty() ? 200 : 503)
                        .contentType("application/json")
                        .result(Json.bytes(
                                reasons.isEmpty()
                                        ? Map.of("status", "ready")
                                        : Map.of("status", "not ready", "reasons", reasons)));
            });
            config.routes.get(
                    "/metrics",
                    ctx -> Sending.later(
                            ctx.contentType("text/plain; version=0.0.4; charset=utf-8"),
                            metrics.scrape().getBytes(UTF_8)));
            config.routes.get("/openapi.json", ctx -> Sending.later(ctx.contentType("application/json"), openApi));
            new DocsPage().register(config.routes);
            for (Consumer<RoutesConfig> role : roles) {
                role.accept(config.routes);
            }
            config.routes.exception(
                    ContentTooLargeResponse.class,
                    (e, ctx) -> Problem.of(
                                    413, "Content Too Large", "the body is larger than " + maxBodyBytes + " bytes")
                            .write(ctx));
            config.routes.exception(HttpResponseException.class, (e, ctx) -> {
                e.getDetails().forEach((name, value) -> {
                    if (name.equalsIgnoreCase("availableMethods")) {
                        ctx.header("Allow", value);
                    }
                });
                Problem.of(
                                e.getStatus(),
                                JettyErrors.title(e.getStatus()),
                                detail(e, ctx.method().name(), ctx.path()))
                        .write(ctx);
            });
            config.routes.exception(
                    HttpException.RuntimeException.class,
                    (e, ctx) -> Problem.of(
                                    e.getCode(),
                                    JettyErrors.title(e.getCode()),
                                    "the request cannot be read as HTTP: " + e.getReason())
                            .write(ctx));
            config.routes.exception(Exception.class, (e, ctx) -> {
                try {
                    LOG.error("{} {} failed; answered 500", ctx.method(), ctx.path(), e);
                    Problem.of(500, "Internal Server Error", "Weir failed to answer; its log says why")
                            .write(ctx);
                } catch (RuntimeException ended) {
                    // Its connection is gone, and the server has taken the request back: asked again, it would fail for
                    // ever.
                    LOG.debug("a request that has ended cannot be answered", e);
                }
            });
        });
        javalin.start();
    }

    private static Connector connector(
            Server server, HttpConfiguration http, String host, int port, RequestsUnderWay requests) {
        ServerConnector tcp = new ServerConnector(server, new HttpConnections(http));
        tcp.setHost(host);
        tcp.setPort(port);
        tcp.setAcceptQueueSize(MAX_ACCEPT_QUEUE);
        tcp.setIdleTimeout(IDLE_TIMEOUT.toMillis());
        NetworkConnectionLimit limit = new NetworkConnectionLimit(MAX_CONNECTIONS, tcp);
        limit.setEndPointIdleTimeout(IDLE_TIMEOUT_WHEN_FULL.toMillis());
        tcp.addBean(limit);
        tcp.addBean(new SlowHeaders(tcp, requests, HEADER_TIMEOUT, LOOK_AT_HEADERS_EVERY));
        return tcp;
    }

    /**
     * From now on this process says that it is not ready; everything is served as before. Load balancers get their time to see
     * it before {@link #close()} shuts the door.
     */
    public void leave() {
        leaving = true;
    }

    public int port() {
        return javalin.port();
    }

    /** What is served, as {@code GET /v1/jobs/{id}}. */
    public SortedSet<String> routes() {
        SortedSet<String> routes = new TreeSet<>();
        for (ParsedEndpoint route : javalin.unsafe.internalRouter.allHttpHandlers()) {
            if (HandlerType.commonHttp().contains(route.endpoint.method)) {
                routes.add(route.endpoint.method.name() + " " + route.endpoint.path);
            }
        }
        return routes;
    }

    @Override
    public void close() {
        try {
            javalin.stop();
        } catch (RuntimeException e) {
            // It gave open connections their time, and closed them.
            LOG.warn("the HTTP server on port {} did not end quietly: {}", javalin.port(), e.getMessage());
        }
    }

    private static String detail(HttpResponseException e, String method, String path) {
        return switch (e.getStatus()) {
            case 404 -> "there is nothing at " + path + "; GET /openapi.json lists what there is";
            case 405 -> method + " is not served at " + path + "; see Allow and GET /openapi.json";
            default -> String.valueOf(e.getMessage());
        };
    }
}
