package dev.weir.contracts.config;

import java.net.URI;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One external API, as the configuration file names it. Its address and its secret come from the file alone: nothing that
 * is changed while Weir runs can send a secret elsewhere.
 *
 * @param name its key: lower-case letters, digits, {@code -} and {@code _}
 * @param baseUrl http or https; its path, if any, stands before every job's path
 */
public record UpstreamConfig(
        String name,
        URI baseUrl,
        UpstreamSettings settings,
        @Nullable AuthSettings auth) {
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
    }

    /** The same upstream with other settings. */
    public UpstreamConfig with(UpstreamSettings other) {
        return new UpstreamConfig(name, baseUrl, other, auth);
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
}
