package dev.weir.dispatcher;

import dev.weir.contracts.wire.Outcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The table {@code results}: outcomes by job and attempt. Writing the same outcome again changes nothing; an answer
 * overwrites an attempt that had none, never the other way round; and an attempt that was pushed back (429) and so made
 * again under a later permit is overwritten by what that brought. Not thread-safe.
 */
final class ResultsTable {
    /**
     * A batch is one statement, whatever its size: a PostgreSQL that takes 2 s for a statement still takes more than a
     * dispatcher can make.
     */
    static final int MOST_ROWS = 5000;

    static final int MOST_BYTES = 8 * 1024 * 1024;
    private static final int FEWEST_ROWS = 50;
    private static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(10);
    private static final int MAX_CAUSES = 10;
    /** A push-back lasts an hour at most, and 20 of them a day. */
    private static final int DAYS_OF_ONE_ATTEMPT = 2;

    private static final Logger LOG = LoggerFactory.getLogger(ResultsTable.class);

    /**
     * The key of a partitioned table holds its day, and an attempt that is made again may come to another day: what it was
     * before goes, and what comes late does not come back. The days are bounds, so that only their partitions are looked at.
     */
    private static final String UPSERT = """
            with incoming as (
                select * from unnest(?::date[], ?::uuid[], ?::int[], ?::bigint[], ?::text[], ?::text[], ?::text[],
                                     ?::timestamptz[], ?::timestamptz[], ?::timestamptz[], ?::int[], ?::jsonb[],
                                     ?::boolean[], ?::boolean[], ?::text[], ?::bytea[])
                    as i (day, job_id, attempt, permit, tenant, upstream, kind, slot, started_at, ended_at, http_status,
                          headers, body_is_text, cut, error, body)
            ), superseded as (
                delete from results r using incoming i
                where r.job_id = i.job_id and r.attempt = i.attempt and r.permit < i.permit and r.day < i.day
                    and r.day >= ?::date and r.day < ?::date
            )
            insert into results (day, job_id, attempt, permit, tenant, upstream, kind, slot, started_at, ended_at,
                                 http_status, headers, body, body_is_text, cut, error)
            select day, job_id, attempt, permit, tenant, upstream, kind, slot, started_at, ended_at, http_status,
                   headers, body, body_is_text, cut, error
            from incoming i
            where not exists (
                select from results r
                where r.job_id = i.job_id and r.attempt = i.attempt and r.permit > i.permit and r.day > i.day
                    and r.day > ?::date and r.day <= ?::date)
            on conflict (job_id, attempt, day) do update set
                permit = excluded.permit, kind = excluded.kind, slot = excluded.slot,
                started_at = excluded.started_at, ended_at = excluded.ended_at, http_status = excluded.http_status,
                headers = excluded.headers, body = excluded.body, body_is_text = excluded.body_is_text,
                cut = excluded.cut, error = excluded.error
            where excluded.permit > results.permit
               or (excluded.permit = results.permit and results.http_status is null
                   and excluded.http_status is not null)
            """;

    /** In the order of the statement's arrays; the bodies follow. */
    private static final List<Function<ResultRow, @Nullable Object>> COLUMNS = List.of(
            ResultRow::day,
            ResultRow::job,
            row -> row.outcome().attempt(),
            row -> row.outcome().permit(),
            row -> ResultRow.clean(row.outcome().tenant()),
            row -> ResultRow.clean(row.outcome().upstream()),
            row -> row.outcome().kind().name().toLowerCase(Locale.ROOT),
            row -> row.outcome().slot(),
            row -> row.outcome().startedAt(),
            row -> row.outcome().endedAt(),
            row -> row.answer() == null ? null : row.answer().status(),
            ResultRow::headers,
            row -> row.answer() != null && row.answer().body() != null,
            row -> row.answer() != null && row.answer().cut(),
            row -> ResultRow.clean(row.outcome().error()));

    private final DataSource database;
    private final ResultsPartitions partitions;
    /** Fewer after a statement that took too long, so that there is a size that goes through. */
    private int rowsAtOnce = MOST_ROWS;

    ResultsTable(DataSource database, ResultsPartitions partitions) {
        this.database = database;
        this.partitions = partitions;
    }

    /** What is to be written of these: one row for each attempt, for a statement must not name a row twice. */
    List<ResultRow> rows(Collection<Outcome> outcomes) {
        Map<String, ResultRow> byAttempt = new LinkedHashMap<>();
        int outside = 0;
        for (Outcome outcome : outcomes) {
            ResultRow row = outcome.kind() == Outcome.Kind.RETURNED ? null : ResultRow.of(outcome);
            if (row == null) {
                continue;
            }
            if (partitions.keeps(row.day())) {
                byAttempt.merge(row.key(), row, ResultRow::orNewer);
            } else {
                outside++;
            }
        }
        if (outside > 0) {
            LOG.warn(
                    "{} results are left out: their day is past the retention of {} days, or in the future",
                    outside,
                    partitions.retention().toDays());
        }
        return List.copyOf(byAttempt.values());
    }

    /**
     * Writes the first of these, as many as go into one statement. A row that PostgreSQL refuses for what it holds is logged
     * and left out; it does not keep the others from being written.
     *
     * @return how many are done with
     * @throws SQLException when PostgreSQL is away, slow or refuses everything: nothing may be taken as written
     */
    int writeSome(List<ResultRow> rows) throws SQLException {
        List<ResultRow> batch = rows.subList(0, fitting(rows));
        try {
            try {
                write(batch);
            } catch (SQLException e) {
                if (!isTheRowsOwnFault(e)) {
                    throw e;
                }
                LOG.warn("PostgreSQL refuses a row among {} ({}); looking for it", batch.size(), reason(e));
                // A row without a partition is refused in the same way.
                partitions.lookAgain();
                writeHalves(batch);
            }
        } catch (SQLException e) {
            if (PSQLState.QUERY_CANCELED.getState().equals(e.getSQLState())) {
                rowsAtOnce = Math.max(FEWEST_ROWS, rowsAtOnce / 2);
            }
            throw e;
        }
        rowsAtOnce = Math.min(MOST_ROWS, rowsAtOnce * 2);
        return batch.size();
    }

    private int fitting(List<ResultRow> rows) {
        int count = 0;
        long bytes = 0;
        while (count < rows.size() && count < rowsAtOnce) {
            bytes += rows.get(count).bytes();
            if (count > 0 && bytes > MOST_BYTES) {
                break;
            }
            count++;
        }
        return count;
    }

    /** The halves without the row are written whole; so one bad row costs a few statements and not one for each row. */
    private void writeHalves(List<ResultRow> rows) throws SQLException {
        try {
            write(rows);
        } catch (SQLException e) {
            if (!isTheRowsOwnFault(e)) {
                throw e;
            }
            if (rows.size() > 1) {
                writeHalves(rows.subList(0, rows.size() / 2));
                writeHalves(rows.subList(rows.size() / 2, rows.size()));
                return;
            }
            Outcome refused = rows.get(0).outcome();
            LOG.error(
                    "job {} attempt {} of {}: PostgreSQL refuses the result, it is left out there and stays in"
                            + " weir.outcomes: {}",
                    refused.jobId(),
                    refused.attempt(),
                    refused.upstream(),
                    reason(e));
        }
    }

    /** One statement, and so one transaction. */
    private void write(List<ResultRow> rows) throws SQLException {
        if (rows.isEmpty()) {
            return;
        }
        TreeSet<LocalDate> days = new TreeSet<>();
        rows.forEach(row -> days.add(row.day()));
        partitions.ensure(days);
        try (Connection connection = database.getConnection();
                PreparedStatement statement = connection.prepareStatement(UPSERT)) {
            statement.setQueryTimeout((int) STATEMENT_TIMEOUT.toSeconds());
            int next = 1;
            for (Function<ResultRow, @Nullable Object> column : COLUMNS) {
                String[] values = rows.stream()
                        .map(column)
                        .map(value -> value == null ? null : value.toString())
                        .toArray(String[]::new);
                statement.setArray(next++, connection.createArrayOf("text", values));
            }
            byte[][] bodies = rows.stream().map(ResultRow::body).toArray(byte[][]::new);
            statement.setArray(next++, connection.createArrayOf("bytea", bodies));
            for (LocalDate bound : List.of(
                    days.first().minusDays(DAYS_OF_ONE_ATTEMPT),
                    days.last(),
                    days.first(),
                    days.last().plusDays(DAYS_OF_ONE_ATTEMPT))) {
                statement.setObject(next++, bound);
            }
            statement.executeUpdate();
        }
    }

    /** The first line of the innermost message: the outer ones repeat the whole statement with its values. */
    static String reason(Exception e) {
        Throwable inner = e;
        for (int depth = 0; depth < MAX_CAUSES && inner.getCause() != null; depth++) {
            inner = inner.getCause();
        }
        return String.valueOf(inner.getMessage()).strip().lines().findFirst().orElse("no reason given");
    }

    /** Classes 22 (data exception), 23 (integrity constraint) and 54 (program limit) speak of a row, not of the server. */
    private static boolean isTheRowsOwnFault(SQLException e) {
        for (Throwable t = e; t != null; t = t.getCause()) {
            if (t instanceof SQLException sql && sql.getSQLState() != null) {
                String state = sql.getSQLState();
                return state.startsWith("22") || state.startsWith("23") || state.startsWith("54");
            }
        }
        return false;
    }
}
