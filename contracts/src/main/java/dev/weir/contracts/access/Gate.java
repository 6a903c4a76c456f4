package dev.weir.contracts.access;

import dev.weir.contracts.access.AccessRules.Counting;
import dev.weir.contracts.config.Clients;
import dev.weir.contracts.config.Tier;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.limit.Allowance;
import dev.weir.contracts.limit.Limiter;
import dev.weir.contracts.limit.Limiter.Holder;
import dev.weir.contracts.limit.Limiter.Kind;
import dev.weir.contracts.limit.SlidingWindows;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.router.Endpoint;
import io.micrometer.core.instrument.MeterRegistry;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Stands before every route of a process: finds out who calls, refuses what they may not do, and tells the route who they are
 * ({@link Caller#of}). A caller without a valid key may do nothing but what is open to all, and is counted by its address, so
 * that keys cannot be guessed at any speed. Where no clients are configured, calls from this machine are {@link Caller#LOCAL}, and no other calls
 * are taken. Thread-safe.
 */
public final class Gate implements Handler {
    private static final String BEARER = "bearer ";
    private static final String CHALLENGE = "Bearer realm=\"weir\"";

    private final Clients clients;
    private final Credentials credentials;
    private final ClientAddress addresses;
    private final @Nullable String peerToken;
    private final Limiter limiter;
    private final Tier anonymous;
    private final MeterRegistry metrics;

    /** What a request shows of its caller: nothing, something, or too much. */
    private record Shown(
            @Nullable String credential, @Nullable String mistake) {}

    /** With the limiter of this process alone. */
    public Gate(Clients clients, MeterRegistry metrics) {
        this(clients, new SlidingWindows(clients.tier(Tier.ANONYMOUS).per()), metrics);
    }

    public Gate(Clients clients, Limiter limiter, MeterRegistry metrics) {
        this.clients = clients;
        this.credentials = new ApiKeys(clients);
        this.addresses = new ClientAddress(clients.trustedProxies());
        this.peerToken = PeerToken.of(clients);
        this.limiter = limiter;
        this.anonymous = clients.tier(Tier.ANONYMOUS);
        this.metrics = metrics;
    }

    /** Who may call, in one line for the log. */
    public String describe() {
        return clients.isEmpty()
                ? "no clients are configured: calls from this machine need no key and are the tenant "
                        + Caller.LOCAL.tenant() + " with every role and no limit, and calls from elsewhere are refused"
                : clients.list().size() + " clients are configured; every call needs the key of one";
    }

    @Override
    public void handle(Context ctx) {
        Endpoint route = ctx.endpoints().matchedHttpEndpoint();
        if (route == null) {
            // HEAD, where there is a GET: nothing is run, and the answer is empty.
            return;
        }
        String method = route.method.name();
        if (AccessRules.isOpen(method, route.path)) {
            return;
        }
        if (AccessRules.isForPeers(method, route.path)) {
            peer(ctx);
        } else {
            client(ctx, method, route.path);
        }
    }

    private void client(Context ctx, String method, String path) {
        Caller caller = clients.isEmpty() ? local(ctx) : known(ctx);
        if (caller == null) {
            return;
        }
        String refusal = AccessRules.refusal(caller, method, path);
        if (refusal != null) {
            refuse(ctx, Problem.of(403, "Forbidden", refusal));
            return;
        }
        caller.attachTo(ctx);
        Counting counting = AccessRules.counting(method, path);
        if (counting != Counting.NOTHING) {
            Allowance allowance = allowance(caller.holder(), caller.tier());
            allowance.attachTo(ctx);
            if (!allowance.take(ctx, counting == Counting.REQUEST ? 1 : 0)) {
                refused(ctx);
            }
        }
    }

    private Allowance allowance(Holder holder, @Nullable Tier tier) {
        return new Allowance(limiter, holder, tier, clients.oldRateLimitHeaders());
    }

    private @Nullable Caller local(Context ctx) {
        String reason = ClientAddress.notLocal(ctx);
        if (reason == null) {
            return Caller.LOCAL;
        }
        refuse(
                ctx,
                Problem.of(
                        403,
                        "Forbidden",
                        "no clients are configured, so only calls from this machine are taken, and " + reason
                                + "; clients in Weir's configuration let others in, each with a key"));
        return null;
    }

    private @Nullable Caller known(Context ctx) {
        Shown shown = shown(ctx);
        if (shown.mistake() != null) {
            challenge(ctx, 400, "Bad Request", shown.mistake(), ", error=\"invalid_request\"");
            return null;
        }
        Caller caller = shown.credential() == null ? null : credentials.caller(shown.credential());
        if (caller == null
                && allowance(new Holder(Kind.ADDRESS, addresses.counted(ctx)), anonymous)
                        .take(ctx, 1)) {
            boolean none = shown.credential() == null;
            challenge(
                    ctx,
                    401,
                    "Unauthorized",
                    none
                            ? "an API key is needed, as Authorization: Bearer KEY or X-API-Key: KEY"
                            : "the API key is not known here",
                    none ? "" : ", error=\"invalid_token\"");
        } else if (caller == null) {
            refused(ctx);
        }
        return caller;
    }

    private void peer(Context ctx) {
        String shown = shown(ctx).credential();
        boolean known = peerToken == null
                ? ClientAddress.notLocal(ctx) == null
                : shown != null
                        && MessageDigest.isEqual(
                                peerToken.getBytes(StandardCharsets.UTF_8), shown.getBytes(StandardCharsets.UTF_8));
        if (!known) {
            refuse(
                    ctx,
                    Problem.of(
                            403,
                            "Forbidden",
                            "this is served to Weir's own roles alone; one is known by having the same clients in its"
                                    + " configuration"));
        }
    }

    private static Shown shown(Context ctx) {
        List<String> authorizations = Collections.list(ctx.req().getHeaders("Authorization"));
        List<String> keys = Collections.list(ctx.req().getHeaders("X-API-Key"));
        if (authorizations.size() + keys.size() > 1) {
            return new Shown(null, "expected one Authorization or X-API-Key, but there are several");
        }
        if (!keys.isEmpty()) {
            return new Shown(keys.get(0).strip(), null);
        }
        if (authorizations.isEmpty()) {
            return new Shown(null, null);
        }
        String authorization = authorizations.get(0).strip();
        return authorization.toLowerCase(Locale.ROOT).startsWith(BEARER)
                ? new Shown(authorization.substring(BEARER.length()).strip(), null)
                : new Shown(null, "expected Authorization: Bearer KEY, but it is another scheme");
    }

    private void challenge(Context ctx, int status, String title, String detail, String error) {
        ctx.header("WWW-Authenticate", CHALLENGE + error);
        refuse(ctx, Problem.of(status, title, detail));
    }

    private void refuse(Context ctx, Problem problem) {
        problem.write(ctx);
        refused(ctx);
    }

    /** The answer is written. */
    private void refused(Context ctx) {
        ctx.skipRemainingHandlers();
        if (!ctx.method().name().equals("GET")) {
            // The ingress serves all but GET, and would have counted its answer.
            metrics.counter("weir.ingress.requests", "status", Integer.toString(ctx.statusCode()))
                    .increment();
        }
    }
}
