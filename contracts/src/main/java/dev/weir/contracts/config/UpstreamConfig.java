package dev.weir.contracts.config;

import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One external API and the pace it allows. Every limit holds at once.
 *
 * @param name its key: lower-case letters, digits, {@code -} and {@code _}
 * @param baseUrl http or https; its path, if any, stands before every job's path
 * @param limits the provider's own, at least one
 * @param utilization how much of each limit Weir uses, over 0 to 1
 * @param burst permits that it may fall behind and make up again
 * @param maxInFlight calls open at once, over all dispatchers
 * @param permitTtl a permit not used by slot + permitTtl is handed back, never used late
 * @param timeout of one whole call
 */
public record UpstreamConfig(
        String name,
        URI baseUrl,
        List<Limit> limits,
        BigDecimal utilization,
        int burst,
        int maxInFlight,
        Duration permitTtl,
        Duration timeout,
        RetrySettings retry,
        CircuitBreakerSettings circuitBreaker,
        @Nullable AuthSettings auth) {
    public static final BigDecimal DEFAULT_UTILIZATION = new BigDecimal("0.9");
    public static final int DEFAULT_BURST = 15;
    public static final int DEFAULT_MAX_IN_FLIGHT = 300;
    public static final Duration DEFAULT_PERMIT_TTL = Duration.ofSeconds(3);
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);
    public static final int MOST_LIMITS = 8;
    public static final int MOST_IN_FLIGHT = 20_000;
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,62}");

    public UpstreamConfig {
        if (!NAME.matcher(name).matches()) {
            throw ConfigException.at(
                    name,
                    "expected an upstream's name of up to 63 lower-case letters, digits, - and _, starting with a letter or digit");
        }
        String wrong = baseUrlProblem(baseUrl);
        if (wrong != null) {
            throw ConfigException.at(
                    "baseUrl", "expected http(s)://host[:port][/path] without user, query or fragment, but " + wrong);
        }
        limits = List.copyOf(limits);
        if (limits.isEmpty() || limits.size() > MOST_LIMITS) {
            throw ConfigException.at(
                    "limits", "expected 1 to " + MOST_LIMITS + " limits, but there are " + limits.size());
        }
        if (utilization.signum() <= 0 || utilization.compareTo(BigDecimal.ONE) > 0) {
            throw ConfigException.at("utilization", "expected more than 0, up to 1, but it is " + utilization);
        }
        Set<Duration> seen = new HashSet<>();
        for (Limit limit : limits) {
            if (limit.budget(utilization) < 1) {
                throw ConfigException.at(
                        "limits",
                        limit.permits() + " per " + limit.per() + " at utilization " + utilization
                                + " leaves no permit at all; raise the utilization");
            }
            if (!seen.add(limit.per())) {
                throw ConfigException.at(
                        "limits", "expected one limit for each window, but " + limit.per() + " is there twice");
            }
        }
        if (burst < 0 || burst > 100_000) {
            throw ConfigException.at("burst", "expected 0 to 100000, but it is " + burst);
        }
        if (maxInFlight < 1 || maxInFlight > MOST_IN_FLIGHT) {
            throw ConfigException.at("maxInFlight", "expected 1 to " + MOST_IN_FLIGHT + ", but it is " + maxInFlight);
        }
        if (permitTtl.compareTo(Duration.ofMillis(100)) < 0 || permitTtl.compareTo(Duration.ofMinutes(10)) > 0) {
            throw ConfigException.at("permitTtl", "expected 100ms to 10m, but it is " + permitTtl);
        }
        if (timeout.compareTo(Duration.ofMillis(100)) < 0 || timeout.compareTo(Duration.ofHours(1)) > 0) {
            throw ConfigException.at("timeout", "expected 100ms to 1h, but it is " + timeout);
        }
    }

    /** Never shows the URL itself: a user, a query or a mistyped authority may hold a secret. */
    private static @Nullable String baseUrlProblem(URI url) {
        String authority = url.getRawAuthority();
        if (authority != null && authority.indexOf('@') >= 0) {
            return "it has a user; a secret belongs into auth, as ${env:NAME}";
        }
        if (url.getRawQuery() != null) {
            return "it has a query; a secret belongs into auth, as ${env:NAME}, the rest into each job's path";
        }
        if (url.getRawFragment() != null) {
            return "it has a fragment";
        }
        if (!"http".equals(url.getScheme()) && !"https".equals(url.getScheme())) {
            return "it does not start with http:// or https://";
        }
        return url.getHost() == null ? "it has no host, or one with characters that no host has" : null;
    }

    /** The smallest budget of all windows: what a single job may cost at most. */
    public long smallestBudget() {
        return limits.stream().mapToLong(l -> l.budget(utilization)).min().orElseThrow();
    }
}
