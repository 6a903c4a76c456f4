package dev.weir.contracts.db;

import dev.weir.contracts.config.ConfigException;
import dev.weir.contracts.config.Secret;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the database is: {@code jdbc:postgresql://host:port/db?user=…&password=…} or
 * {@code postgresql://user:password@host:port/db}. User and password are taken out of it, so that the rest can be logged.
 *
 * @param jdbcUrl without user, password and parameters
 * @param parameters the driver's own, as they stood in the query
 */
public record DatabaseUrl(
        String jdbcUrl, @Nullable String user, @Nullable Secret password, Map<String, String> parameters) {
    public static final String VARIABLE = "WEIR_DATABASE_URL";
    private static final int DEFAULT_PORT = 5432;
    private static final String EXPECTED =
            "expected postgresql://user:password@host:port/database or jdbc:postgresql://host:port/database?user=…&password=…";

    public DatabaseUrl {
        parameters = Map.copyOf(parameters);
    }

    /** @throws ConfigException when it is no such URL; the message does not repeat it, for it may hold a password */
    public static DatabaseUrl parse(String url) {
        String text = url.strip();
        URI uri;
        try {
            uri = new URI(text.startsWith("jdbc:") ? text.substring("jdbc:".length()) : text);
        } catch (URISyntaxException e) {
            throw ConfigException.at(
                    VARIABLE,
                    EXPECTED + ", but it is no URL (" + e.getReason()
                            + "); special characters in a password are written as %XX");
        }
        String scheme = uri.getScheme();
        if (!("postgresql".equals(scheme) || "postgres".equals(scheme))) {
            throw ConfigException.at(VARIABLE, EXPECTED + ", but the scheme is " + scheme);
        }
        if (uri.getHost() == null) {
            throw ConfigException.at(VARIABLE, EXPECTED + ", but there is no host in it");
        }
        String path = uri.getRawPath();
        if (path == null || path.length() < 2 || path.indexOf('/', 1) >= 0) {
            throw ConfigException.at(VARIABLE, EXPECTED + ", but there is no database name in it");
        }
        Map<String, String> parameters = parameters(uri.getRawQuery());
        String user = parameters.remove("user");
        String password = parameters.remove("password");
        String userInfo = uri.getRawUserInfo();
        if (userInfo != null) {
            int colon = userInfo.indexOf(':');
            user = decode(colon < 0 ? userInfo : userInfo.substring(0, colon), false);
            if (colon >= 0) {
                password = decode(userInfo.substring(colon + 1), false);
            }
        }
        int port = uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort();
        return new DatabaseUrl(
                "jdbc:postgresql://" + uri.getHost() + ":" + port + path,
                user,
                password == null ? null : new Secret(password),
                parameters);
    }

    private static Map<String, String> parameters(@Nullable String query) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (query == null) {
            return parameters;
        }
        for (String pair : query.split("&", -1)) {
            int equals = pair.indexOf('=');
            if (equals > 0) {
                parameters.put(decode(pair.substring(0, equals), true), decode(pair.substring(equals + 1), true));
            }
        }
        return parameters;
    }

    private static String decode(String text, boolean plusIsSpace) {
        try {
            return URLDecoder.decode(plusIsSpace ? text : text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException e) {
            throw ConfigException.at(VARIABLE, EXPECTED + ", but a %XX in it is wrong");
        }
    }
}
