package dev.weir.contracts.access;

import static dev.weir.contracts.config.ClientRole.ANALYST;
import static dev.weir.contracts.config.ClientRole.OPERATOR;
import static dev.weir.contracts.config.ClientRole.PRODUCER;

import dev.weir.contracts.config.ClientRole;
import java.util.Collections;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Who may do what, on the routes of every role of Weir. A route that is not in here is closed. What belongs to a tenant is
 * looked at once more where it is known whose it is: see {@link Caller#sees}.
 */
public final class AccessRules {
    private static final Set<ClientRole> ALL = Set.of(PRODUCER, OPERATOR, ANALYST);

    /** By method and path as it is registered. */
    private static final Map<String, Rule> RULES = Map.ofEntries(
            open("GET /healthz"),
            open("GET /readyz"),
            // Names upstreams and counts; no tenant, no job. Prometheus asks without a key.
            open("GET /metrics"),
            open("GET /openapi.json"),
            open("GET /docs"),
            open("GET /docs/{file}"),
            counted("POST /v1/jobs", Counting.REQUEST),
            counted("POST /v1/jobs/batch", Counting.EACH_JOB),
            only("GET /v1/jobs", ALL),
            only("GET /v1/jobs/{id}", ALL),
            only("GET /v1/jobs/{id}/events", ALL),
            only("DELETE /v1/jobs/{id}", PRODUCER, OPERATOR),
            only("GET /v1/usage", ALL),
            only("GET /v1/upstreams", ALL),
            only("GET /v1/upstreams/{name}", ALL),
            only("GET /v1/upstreams/{name}/releases", ALL),
            // Names the tenants whose jobs wait.
            only("GET /v1/upstreams/{name}/forecast", OPERATOR, ANALYST),
            only("PATCH /v1/upstreams/{name}", OPERATOR),
            only("POST /v1/upstreams/{name}/pause", OPERATOR),
            only("POST /v1/upstreams/{name}/resume", OPERATOR),
            peers("GET /internal/known-jobs/{id}"),
            peers("GET /internal/finished-jobs/{id}"),
            peers("GET /internal/status/jobs/{id}"),
            peers("GET /internal/status/list"),
            peers("GET /internal/status/usage"));

    /** What one route asks of its callers. */
    private enum Kind {
        OPEN,
        ROLES,
        PEERS
    }

    /** What is counted against the quota of the caller's tier. */
    enum Counting {
        NOTHING,
        /** One permit, before anything of the request's body is read. */
        REQUEST,
        /** One permit for each job in it, taken by the route. */
        EACH_JOB
    }

    private record Rule(Kind kind, Set<ClientRole> roles, Counting counting) {}

    private AccessRules() {}

    /** Whether anyone may use a route, known or not. */
    public static boolean isOpen(String method, String path) {
        Rule rule = RULES.get(method + " " + path);
        return rule != null && rule.kind() == Kind.OPEN;
    }

    /** Whether a route is for other roles of Weir alone. */
    static boolean isForPeers(String method, String path) {
        Rule rule = RULES.get(method + " " + path);
        return rule != null && rule.kind() == Kind.PEERS;
    }

    /** Why a caller may not use a route; null when they may. */
    static @Nullable String refusal(Caller caller, String method, String path) {
        Rule rule = RULES.get(method + " " + path);
        if (rule == null || rule.kind() == Kind.PEERS) {
            return "this is not served to clients";
        }
        if (rule.kind() == Kind.OPEN || !Collections.disjoint(caller.roles(), rule.roles())) {
            return null;
        }
        return "this is for " + texts(rule.roles(), "s and ") + "s, but the key's role is "
                + texts(caller.roles(), ", ");
    }

    /** What a route counts. */
    static Counting counting(String method, String path) {
        Rule rule = RULES.get(method + " " + path);
        return rule == null ? Counting.NOTHING : rule.counting();
    }

    /** Whether there is a rule for a route. */
    public static boolean covers(String method, String path) {
        return RULES.containsKey(method + " " + path);
    }

    private static String texts(Set<ClientRole> roles, String between) {
        return roles.stream().sorted().map(ClientRole::text).collect(Collectors.joining(between));
    }

    private static Map.Entry<String, Rule> open(String route) {
        return Map.entry(route, new Rule(Kind.OPEN, Set.of(), Counting.NOTHING));
    }

    private static Map.Entry<String, Rule> only(String route, ClientRole... roles) {
        return only(route, Set.of(roles));
    }

    private static Map.Entry<String, Rule> only(String route, Set<ClientRole> roles) {
        return Map.entry(route, new Rule(Kind.ROLES, roles, Counting.NOTHING));
    }

    private static Map.Entry<String, Rule> counted(String route, Counting counting) {
        return Map.entry(route, new Rule(Kind.ROLES, Set.of(PRODUCER), counting));
    }

    private static Map.Entry<String, Rule> peers(String route) {
        return Map.entry(route, new Rule(Kind.PEERS, Set.of(), Counting.NOTHING));
    }
}
