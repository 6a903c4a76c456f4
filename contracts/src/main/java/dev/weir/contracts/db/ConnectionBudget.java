package dev.weir.contracts.db;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One process's share of the connections that all of Weir may have together. Each process claims its share in the table
 * {@code weir_connections} and renews the claim; the claims of all never exceed the budget. Without a claim a process has one
 * connection: to ask for it. A count of what is open would not do: pools grow later, and behind a PgBouncer it shows the
 * bouncer's connections and not whose they are. Thread-safe.
 */
public final class ConnectionBudget implements AutoCloseable {
    /** The claim of a process that was killed lapses after this. */
    public static final Duration LAPSES_AFTER = Duration.ofMinutes(2);

    /** The connections of a process that has no claim. */
    public static final int WITHOUT_CLAIM = 1;

    private static final Duration RENEW_EVERY = Duration.ofSeconds(20);
    private static final Duration ASK_AGAIN = Duration.ofSeconds(2);
    /** Before a process starts without a PostgreSQL that is slow; without one that is down it starts at once. */
    private static final Duration PATIENCE_AT_START = Duration.ofSeconds(10);

    private static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);
    /** Of the transactions that change claims; any number that nobody else uses. */
    private static final long LOCK = 0x77656972_636F_6E6EL;

    private static final String TOO_MANY_CONNECTIONS = "53300";
    private static final String CREATE = """
            create table weir_connections (
                instance    text primary key,
                role        text not null,
                connections int not null,
                seen        timestamptz not null);
            comment on table weir_connections is 'each running process of Weir and how many connections it may have'
            """;
    private static final String CLAIM = """
            insert into weir_connections (instance, role, connections, seen) values (?, ?, ?, now())
            on conflict (instance) do update
                set role = excluded.role, connections = excluded.connections, seen = excluded.seen
            """;
    private static final Logger LOG = LoggerFactory.getLogger(ConnectionBudget.class);

    private final Database database;
    private final String instance;
    private final String role;
    private final int share;
    private final int budget;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile boolean claimed;
    private volatile @Nullable String refused;

    /**
     * @param database with {@link #WITHOUT_CLAIM} connections; gets its share with the claim
     * @param instance this process's name, the same at each start
     * @param role what it is, for a person
     * @param share how many connections this process needs
     * @param budget how many all processes have together
     */
    public ConnectionBudget(Database database, String instance, String role, int share, int budget) {
        this.database = database;
        this.instance = instance;
        this.role = role;
        this.share = share;
        this.budget = budget;
        thread = new Thread(this::renew, "connection-budget");
        thread.setDaemon(true);
    }

    /**
     * Claims the share, or leaves it to later when PostgreSQL is away, and goes on renewing it.
     *
     * @return why this process must not start; null when it may
     */
    public @Nullable String start() {
        if (share > budget) {
            return refusal(0, List.of());
        }
        long giveUp = System.nanoTime() + PATIENCE_AT_START.toNanos();
        while (true) {
            try {
                claim();
                break;
            } catch (SQLException e) {
                if (isTooMany(e)) {
                    return "PostgreSQL has no connection left for this process; stop what uses them, or raise its"
                            + " max_connections, or put a PgBouncer in between";
                }
                // The pool's timeout has a state only where a connection failed, rather than was not there yet.
                if (e.getSQLState() == null && System.nanoTime() - giveUp < 0) {
                    continue;
                }
                LOG.warn(
                        "PostgreSQL does not answer; this process starts without it, with {} connection until it can claim"
                                + " its {}: {}",
                        WITHOUT_CLAIM,
                        share,
                        e.getMessage());
                break;
            }
        }
        if (refused == null) {
            thread.start();
        }
        return refused;
    }

    /** Null unless this process works without its share. */
    public @Nullable String notReady() {
        return refused;
    }

    private void renew() {
        try {
            while (!closing.await((claimed ? RENEW_EVERY : ASK_AGAIN).toMillis(), TimeUnit.MILLISECONDS)) {
                String before = refused;
                try {
                    claim();
                } catch (SQLException e) {
                    // What it means for results and answers is said by those who need PostgreSQL.
                    LOG.debug("the claim on connections was not renewed: {}", e.getMessage());
                }
                if (refused != null && before == null) {
                    LOG.error("{}; until then this process has {} connection", refused, WITHOUT_CLAIM);
                }
            }
        } catch (InterruptedException e) {
            // Only closing interrupts this thread.
            Thread.currentThread().interrupt();
        }
    }

    private void claim() throws SQLException {
        String refusal;
        try (Connection connection = database.dataSource().getConnection()) {
            connection.setAutoCommit(false);
            try {
                refusal = claim(connection);
                connection.commit();
            } catch (SQLException e) {
                rollback(connection, e);
                throw e;
            }
        }
        refused = refusal;
        boolean now = refusal == null;
        if (now != claimed) {
            claimed = now;
            database.resize(now ? share : WITHOUT_CLAIM);
        }
    }

    /** Why there is no share left; null when it is claimed. */
    private @Nullable String claim(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.setQueryTimeout((int) STATEMENT_TIMEOUT.toSeconds());
            // The transaction's own, not the session's: a PgBouncer that pools transactions may stand in between.
            statement.execute("select pg_advisory_xact_lock(" + LOCK + ")");
            if (number(statement, "select count(to_regclass('weir_connections'))") == 0) {
                statement.execute(CREATE);
            }
            if (!claimed) {
                warnOfPostgres(statement);
            }
            statement.execute("delete from weir_connections where seen < now() - interval '" + LAPSES_AFTER.toSeconds()
                    + " seconds'");
        }
        long others = 0;
        List<String> roles = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement("""
                select role, count(*), sum(connections) from weir_connections where instance <> ? group by role order by role
                """)) {
            statement.setString(1, instance);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    others += rows.getLong(3);
                    roles.add(rows.getLong(2) + " " + rows.getString(1) + ": " + rows.getLong(3));
                }
            }
        }
        if (others + share > budget) {
            return refusal(others, roles);
        }
        try (PreparedStatement statement = connection.prepareStatement(CLAIM)) {
            statement.setString(1, instance);
            statement.setString(2, role);
            statement.setInt(3, share);
            statement.executeUpdate();
        }
        return null;
    }

    private void warnOfPostgres(Statement statement) throws SQLException {
        long most = number(
                statement,
                "select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int");
        if (budget > most) {
            LOG.warn(
                    "the budget is {} connections (database.connections), but PostgreSQL gives {}: that is right only when"
                            + " a PgBouncer stands in between and has fewer of its own",
                    budget,
                    most);
        }
    }

    private String refusal(long others, List<String> roles) {
        return "this process needs " + share + " connections to PostgreSQL, and the budget for all of Weir is " + budget
                + ", of which " + others + " are claimed"
                + (roles.isEmpty() ? "" : " (" + String.join(", ", roles) + ")")
                + "; stop another process, or raise database.connections as far as PostgreSQL or a PgBouncer allows, or"
                + " lower database.perDispatcher or database.perStatus. The table weir_connections says who has them; the"
                + " claim of a killed process lapses after " + LAPSES_AFTER.toMinutes() + " minutes";
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            return rows.next() ? rows.getLong(1) : 0;
        }
    }

    private static boolean isTooMany(SQLException e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof SQLException sql && TOO_MANY_CONNECTIONS.equals(sql.getSQLState())) {
                return true;
            }
        }
        return false;
    }

    private static void rollback(Connection connection, SQLException cause) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /** Gives the share back. */
    @Override
    public void close() {
        closing.countDown();
        thread.interrupt();
        try {
            thread.join(CLOSE_TIMEOUT.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (!claimed) {
            return;
        }
        try (Connection connection = database.dataSource().getConnection();
                PreparedStatement statement =
                        connection.prepareStatement("delete from weir_connections where instance = ?")) {
            statement.setQueryTimeout((int) CLOSE_TIMEOUT.toSeconds());
            statement.setString(1, instance);
            statement.executeUpdate();
        } catch (SQLException e) {
            LOG.info("the claim on connections lapses by itself: {}", e.getMessage());
        }
    }
}
