package dev.weir.dispatcher;

import dev.weir.contracts.config.AuthSettings;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.CallRules;
import dev.weir.contracts.http.Problem.FieldError;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.eclipse.jetty.client.BytesRequestContent;
import org.eclipse.jetty.client.DuplexConnectionPool;
import org.eclipse.jetty.client.HttpClient;
import org.eclipse.jetty.client.Request;
import org.eclipse.jetty.client.transport.HttpClientTransportOverHTTP;
import org.eclipse.jetty.http.HttpCookieStore;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.ClientConnector;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes calls, asynchronously and each exactly once: no retries, no redirects, no cookies, no answering of challenges. (The
 * one request that Jetty's client sends to another connection is one whose first connection timed out idle before anything
 * of it was written.) Thread-safe.
 */
final class UpstreamClient implements AutoCloseable {
    static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** Shorter than what common servers keep an idle connection for, so that none is used just as it is closed. */
    static final Duration IDLE_KEEP_ALIVE = Duration.ofSeconds(4);

    /** Connections are renewed, so that a change of the upstream's address is followed. */
    private static final Duration MAX_CONNECTION_AGE = Duration.ofMinutes(5);

    /** The total timeout is the permit's; the idle timeout of an open call must not come before it. */
    private static final Duration IDLE_SLACK = Duration.ofSeconds(1);

    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(1);
    private static final int MAX_THREADS = 24;
    private static final int MIN_THREADS = 4;
    private static final int MAX_HEADER_BYTES = 32 * 1024;
    private static final String AGENT = "Weir";
    private static final Logger LOG = LoggerFactory.getLogger(UpstreamClient.class);

    private final Map<String, UpstreamConfig> upstreams;
    private final int maxAnswerBytes;
    private final InstantSource clock;
    private final RandomGenerator random;
    private final DispatcherMetrics metrics;
    private final Handshakes handshakes = new Handshakes();
    /** Upstreams that permits named and the file does not; said once of each. */
    private final Set<String> missing = ConcurrentHashMap.newKeySet();

    private final Map<UpstreamCall, Request> open = new ConcurrentHashMap<>();
    private final HttpClient client;

    UpstreamClient(WeirConfig config, InstantSource clock, RandomGenerator random, DispatcherMetrics metrics) {
        this.upstreams = config.upstreams();
        this.maxAnswerBytes = config.results().maxAnswerBytes();
        this.clock = clock;
        this.random = random;
        this.metrics = metrics;
        QueuedThreadPool threads = new QueuedThreadPool(MAX_THREADS, MIN_THREADS);
        threads.setName("calls");
        threads.setDaemon(true);
        ClientConnector connector = new ClientConnector();
        connector.setSelectors(1);
        connector.setExecutor(threads);
        HttpClientTransportOverHTTP transport = new HttpClientTransportOverHTTP(connector);
        // A destination is an origin and a tag, and the tag is the upstream's name: two upstreams at one host share no
        // pool. How many calls are open the throttle bounds, over all dispatchers; maxInFlight may change at any time,
        // and a
        // pool that holds a call back for want of a connection would only make its permit late.
        transport.setConnectionPoolFactory(destination -> {
            DuplexConnectionPool pool = new DuplexConnectionPool(destination, UpstreamSettings.MOST_IN_FLIGHT);
            pool.setMaxDuration(MAX_CONNECTION_AGE.toMillis());
            return pool;
        });
        client = new HttpClient(transport);
        client.setExecutor(threads);
        client.setConnectTimeout(CONNECT_TIMEOUT.toMillis());
        client.setAddressResolutionTimeout(CONNECT_TIMEOUT.toMillis());
        client.setIdleTimeout(IDLE_KEEP_ALIVE.toMillis());
        client.setFollowRedirects(false);
        client.setHttpCookieStore(new HttpCookieStore.Empty());
        client.setMaxRequestsQueuedPerDestination(UpstreamSettings.MOST_IN_FLIGHT);
        client.setMaxRequestHeadersSize(2 * MAX_HEADER_BYTES);
        client.setMaxResponseHeadersSize(MAX_HEADER_BYTES);
        client.setUserAgentField(new HttpField(HttpHeader.USER_AGENT, AGENT));
        client.addBean(handshakes);
    }

    void start() {
        try {
            client.start();
        } catch (Exception e) {
            throw new IllegalStateException("the HTTP client does not start: " + e.getMessage(), e);
        }
        // Only interim answers (1xx) are the client's business; a redirect or a challenge is an answer like any other.
        for (String handler : List.of("redirect", "www-authenticate", "proxy-authenticate", "upgrade")) {
            client.getProtocolHandlers().remove(handler);
        }
    }

    /** For work that must not hold up the caller's thread. */
    Executor executor() {
        return client.getExecutor();
    }

    /**
     * Makes the call of a permit, if the permit still allows it.
     *
     * @param done gets the outcome exactly once, on any thread, this one too
     */
    void call(Permit permit, Consumer<Outcome> done) {
        Instant now = clock.instant();
        if (!now.isBefore(permit.expiresAt())) {
            done.accept(Outcomes.of(permit, Outcome.Kind.RETURNED, null, now, null, Outcomes.tooLate(permit, now)));
            return;
        }
        UpstreamConfig upstream = upstreams.get(permit.upstream());
        if (upstream == null) {
            // Not the job's fault: the file of this process is older or newer than the throttle's.
            String reason = "this dispatcher's configuration has no upstream " + permit.upstream();
            if (missing.add(permit.upstream())) {
                LOG.warn("{}; its permits are handed back from now on: give every role the same file", reason);
            }
            done.accept(Outcomes.of(permit, Outcome.Kind.RETURNED, null, now, null, reason));
            return;
        }
        AuthSettings auth = upstream.auth();
        List<FieldError> wrong = CallRules.check(permit.request(), auth == null ? null : auth.header());
        if (!wrong.isEmpty()) {
            done.accept(refused(
                    permit,
                    wrong.stream().map(e -> e.pointer() + ": " + e.detail()).collect(Collectors.joining("; "))));
            return;
        }
        UpstreamCall call = new UpstreamCall(
                permit,
                new AnswerBuffer(maxAnswerBytes),
                auth == null ? null : auth.value(),
                clock,
                metrics,
                this::ended,
                done);
        Request request;
        try {
            request = request(upstream, permit, call);
        } catch (IllegalArgumentException e) {
            done.accept(refused(permit, "no call can be made of this: " + e.getMessage()));
            return;
        }
        open.put(call, request);
        request.send(call);
    }

    /** Ends what is still open: what was not written yet is handed back, the rest has failed. */
    void abortOpen() {
        for (Request request : open.values()) {
            var unused = request.abort(new RejectedExecutionException("the dispatcher is going down"));
        }
    }

    private void ended(UpstreamCall call) {
        open.remove(call);
        handshakes.forget(call);
    }

    private Request request(UpstreamConfig upstream, Permit permit, UpstreamCall call) {
        Call wanted = permit.request();
        Request request = client.newRequest(target(upstream.baseUrl(), wanted.path()))
                .method(wanted.method())
                .tag(upstream.name())
                .followRedirects(false)
                .timeout(permit.timeoutMs(), TimeUnit.MILLISECONDS)
                .idleTimeout(permit.timeoutMs() + IDLE_SLACK.toMillis(), TimeUnit.MILLISECONDS);
        String traceparent = TraceContext.child(permit.traceparent(), random);
        request.headers(headers -> {
            wanted.headers().forEach((name, value) -> headers.put(name, value));
            headers.put("X-Job-Id", permit.jobId());
            headers.put("Idempotency-Key", permit.jobId());
            headers.put("X-Attempt", Integer.toString(permit.attempt()));
            headers.put("traceparent", traceparent);
        });
        byte[] body = wanted.bodyBytes();
        if (body != null) {
            String unlessSaid = wanted.body() == null ? "application/octet-stream" : "application/json";
            request.body(new BytesRequestContent(unlessSaid, body));
        }
        AuthSettings auth = upstream.auth();
        request.onRequestHeaders(r -> {
            if (!handshakes.awaits(r, call)) {
                call.onRequestHeaders(r);
            }
        });
        if (auth != null) {
            request.onRequestBegin(r ->
                    r.headers(headers -> headers.put(auth.header(), auth.value().reveal())));
        }
        return request;
    }

    /** The base URL's path, without a slash at its end, and then the call's path: it cannot change scheme, host or port. */
    private static URI target(URI base, String path) {
        String basePath = base.getRawPath() == null ? "" : base.getRawPath();
        while (basePath.endsWith("/")) {
            basePath = basePath.substring(0, basePath.length() - 1);
        }
        return URI.create(base.getScheme() + "://" + base.getRawAuthority() + basePath + path);
    }

    private Outcome refused(Permit permit, String reason) {
        return Outcomes.of(permit, Outcome.Kind.REFUSED, null, clock.instant(), null, reason);
    }

    @Override
    public void close() {
        try {
            if (client.getExecutor() instanceof QueuedThreadPool threads) {
                threads.setStopTimeout(STOP_TIMEOUT.toMillis());
            }
            client.stop();
        } catch (Exception e) {
            throw new IllegalStateException("the HTTP client does not stop: " + e.getMessage(), e);
        }
    }
}
