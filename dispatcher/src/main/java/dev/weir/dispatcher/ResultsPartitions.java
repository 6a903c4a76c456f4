package dev.weir.dispatcher;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The partitions of {@code results}, one a day (UTC): made when a day comes, dropped when it is past the retention. Several
 * processes may do either at once. Not thread-safe.
 */
final class ResultsPartitions {
    /** Of Weir's transactions that change partitions; any number that nobody else uses. */
    private static final long LOCK = 0x77656972_7061_7274L;

    /** A query that reads all days is not kept waiting for longer; the day goes in a later round. */
    private static final Duration LOCK_TIMEOUT = Duration.ofSeconds(2);

    private static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(10);
    /** So that catching up after a shorter retention does not hold up the results. */
    private static final int MOST_DROPS_AT_ONCE = 10;
    /** Slots are a moment ahead of the clock, and clocks differ. */
    private static final int DAYS_AHEAD = 1;

    private static final String PREFIX = "results_";
    private static final DateTimeFormatter DAY = DateTimeFormatter.BASIC_ISO_DATE;
    private static final Logger LOG = LoggerFactory.getLogger(ResultsPartitions.class);

    private final DataSource database;
    private final Duration retention;
    private final InstantSource clock;
    private final Set<LocalDate> known = new HashSet<>();

    ResultsPartitions(DataSource database, Duration retention, InstantSource clock) {
        this.database = database;
        this.retention = retention;
        this.clock = clock;
    }

    Duration retention() {
        return retention;
    }

    /** Whether results of this day are kept: it is neither past the retention nor in the future. */
    boolean keeps(LocalDate day) {
        return !day.isBefore(oldest()) && !day.isAfter(today().plusDays(DAYS_AHEAD));
    }

    /** Makes the partitions of these days where they are missing. */
    void ensure(Collection<LocalDate> days) throws SQLException {
        Set<LocalDate> missing = new TreeSet<>(days);
        missing.removeAll(known);
        if (missing.isEmpty()) {
            return;
        }
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setQueryTimeout((int) STATEMENT_TIMEOUT.toSeconds());
                statement.execute("select pg_advisory_xact_lock(" + LOCK + ")");
                List<LocalDate> there = partitions(statement);
                for (LocalDate day : missing) {
                    if (!there.contains(day)) {
                        create(statement, day);
                    }
                }
                connection.commit();
            } catch (SQLException e) {
                rollback(connection, e);
                throw e;
            }
        }
        known.addAll(missing);
    }

    /** Forgets which partitions there are: somebody else may have dropped one. */
    void lookAgain() {
        known.clear();
    }

    /** Makes the partitions of today and tomorrow, and drops those past the retention, some at a time. */
    void maintain() throws SQLException {
        known.removeIf(day -> !keeps(day));
        ensure(List.of(today(), today().plusDays(DAYS_AHEAD)));
        int drops = 0;
        for (LocalDate day : old()) {
            if (drops++ == MOST_DROPS_AT_ONCE) {
                return;
            }
            drop(day);
        }
    }

    private List<LocalDate> old() throws SQLException {
        List<LocalDate> old;
        try (Connection connection = database.getConnection();
                Statement statement = connection.createStatement()) {
            statement.setQueryTimeout((int) STATEMENT_TIMEOUT.toSeconds());
            old = new ArrayList<>(partitions(statement));
        }
        LocalDate oldest = oldest();
        old.removeIf(day -> !day.isBefore(oldest));
        Collections.sort(old);
        return old;
    }

    private void drop(LocalDate day) throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setQueryTimeout((int) STATEMENT_TIMEOUT.toSeconds());
                statement.execute("set local lock_timeout = " + LOCK_TIMEOUT.toMillis());
                statement.execute("select pg_advisory_xact_lock(" + LOCK + ")");
                statement.execute("drop table if exists " + name(day));
                connection.commit();
                LOG.info("dropped the results of {}: results are kept for {} days", day, retention.toDays());
            } catch (SQLException e) {
                rollback(connection, e);
                throw e;
            }
        }
    }

    /**
     * Attached rather than made in place: that does not wait for those who read the other days, and makes nobody wait behind
     * it.
     */
    private static void create(Statement statement, LocalDate day) throws SQLException {
        statement.execute("create table " + name(day) + " (like results including defaults including comments)");
        statement.execute("alter table results attach partition " + name(day) + " for values from ('" + day + "') to ('"
                + day.plusDays(1) + "')");
    }

    private static List<LocalDate> partitions(Statement statement) throws SQLException {
        List<LocalDate> days = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery("""
                select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where i.inhparent = to_regclass('results')
                """)) {
            while (rows.next()) {
                String name = rows.getString(1);
                try {
                    days.add(LocalDate.parse(name.substring(PREFIX.length()), DAY));
                } catch (DateTimeParseException | StringIndexOutOfBoundsException e) {
                    LOG.debug("{} is a partition of results, but not one of Weir's", name);
                }
            }
        }
        return days;
    }

    private static String name(LocalDate day) {
        return PREFIX + DAY.format(day);
    }

    private LocalDate today() {
        return LocalDate.ofInstant(clock.instant(), ZoneOffset.UTC);
    }

    private LocalDate oldest() {
        return today().minusDays(retention.toDays());
    }

    static void rollback(Connection connection, SQLException cause) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }
}
