package dev.weir.contracts.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.HikariPoolMXBean;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import javax.sql.DataSource;

/**
 * One process's pool of connections to PostgreSQL. It is made whether or not PostgreSQL is there: whoever asks for a
 * connection gets an {@link java.sql.SQLException} after {@link #CONNECTION_TIMEOUT} while it is away.
 *
 * <p>Nothing here leaves state in a session, and statements are not prepared on the server, so that a PgBouncer in
 * transaction pooling may stand in between. Thread-safe. One for each process: the gauge {@code weir_db_connections}
 * knows no pools.
 */
public final class Database implements AutoCloseable {
    /** How long a caller waits for a connection. */
    public static final Duration CONNECTION_TIMEOUT = Duration.ofSeconds(1);

    /** A server that says nothing for so long in the middle of a statement is taken for dead. */
    public static final Duration SOCKET_TIMEOUT = Duration.ofSeconds(15);

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);
    private static final Duration VALIDATION_TIMEOUT = Duration.ofMillis(750);
    private static final Duration MAX_LIFETIME = Duration.ofMinutes(15);
    private static final Duration KEEP_ALIVE = Duration.ofMinutes(2);
    private static final Duration IDLE_TIMEOUT = Duration.ofMinutes(5);
    private static final String CONNECTIONS = "weir_db_connections";

    private final HikariDataSource pool;
    private final PrometheusMeterRegistry metrics;
    private final List<Gauge> gauges = new ArrayList<>();

    /**
     * @param url see {@link DatabaseUrl}
     * @throws dev.weir.contracts.config.ConfigException when the URL is none
     */
    public Database(String url, int maxConnections, String poolName, PrometheusMeterRegistry metrics) {
        DatabaseUrl parsed = DatabaseUrl.parse(url);
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(parsed.jdbcUrl());
        if (parsed.user() != null) {
            config.setUsername(parsed.user());
        }
        if (parsed.password() != null) {
            config.setPassword(parsed.password().reveal());
        }
        config.setPoolName(poolName);
        config.setMaximumPoolSize(maxConnections);
        // No connection that nobody asked for: the first one may not be this process's to have.
        config.setMinimumIdle(0);
        config.setConnectionTimeout(CONNECTION_TIMEOUT.toMillis());
        config.setValidationTimeout(VALIDATION_TIMEOUT.toMillis());
        config.setIdleTimeout(IDLE_TIMEOUT.toMillis());
        config.setKeepaliveTime(KEEP_ALIVE.toMillis());
        config.setMaxLifetime(MAX_LIFETIME.toMillis());
        // The process starts without PostgreSQL and goes on when it comes.
        config.setInitializationFailTimeout(-1);
        config.addDataSourceProperty("ApplicationName", "weir-" + poolName);
        config.addDataSourceProperty("prepareThreshold", "0");
        config.addDataSourceProperty("connectTimeout", Long.toString(CONNECT_TIMEOUT.toSeconds()));
        config.addDataSourceProperty("socketTimeout", Long.toString(SOCKET_TIMEOUT.toSeconds()));
        config.addDataSourceProperty("tcpKeepAlive", "true");
        for (Map.Entry<String, String> parameter : parsed.parameters().entrySet()) {
            config.addDataSourceProperty(parameter.getKey(), parameter.getValue());
        }
        this.metrics = metrics;
        pool = new HikariDataSource(config);
        gauges.add(Gauge.builder("weir_db_connections_max", pool, HikariDataSource::getMaximumPoolSize)
                .description("Connections to PostgreSQL that this process may have")
                .register(metrics));
        gauge("active", HikariPoolMXBean::getActiveConnections);
        gauge("idle", HikariPoolMXBean::getIdleConnections);
        gauge("waiting", HikariPoolMXBean::getThreadsAwaitingConnection);
    }

    public DataSource dataSource() {
        return pool;
    }

    /** Changes how many connections there may be at once; when there are more, they go when they are given back. */
    public void resize(int maxConnections) {
        boolean fewer = maxConnections < pool.getMaximumPoolSize();
        pool.setMaximumPoolSize(maxConnections);
        HikariPoolMXBean bean = pool.getHikariPoolMXBean();
        if (fewer && bean != null) {
            bean.softEvictConnections();
        }
    }

    private void gauge(String state, ToIntFunction<HikariPoolMXBean> value) {
        gauges.add(Gauge.builder(CONNECTIONS, pool, p -> {
                    HikariPoolMXBean bean = p.getHikariPoolMXBean();
                    return bean == null ? 0 : value.applyAsInt(bean);
                })
                .description("Connections to PostgreSQL; waiting: threads that wait for one")
                .tag("state", state)
                .register(metrics));
    }

    @Override
    public void close() {
        gauges.forEach(metrics::remove);
        pool.close();
    }
}
