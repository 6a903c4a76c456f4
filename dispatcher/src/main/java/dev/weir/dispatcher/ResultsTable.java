package dev.weir.dispatcher;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The table {@code results}: outcomes by job and attempt. Writing the same outcome again changes nothing; an answer
 * overwrites an attempt that had none, never the other way round; and an attempt that was pushed back (429) and so made
 * again under a later permit is overwritten by what that brought. Thread-safe.
 */
final class ResultsTable {
    private static final Duration STATEMENT_TIMEOUT = Duration.ofSeconds(10);
    private static final int MAX_CAUSES = 10;
    private static final Logger LOG = LoggerFactory.getLogger(ResultsTable.class);

    private static final String UPSERT = """
            insert into results (job_id, attempt, permit, tenant, upstream, kind, slot, started_at, ended_at,
                                 http_status, headers, body, body_is_text, cut, error)
            values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb, ?, ?, ?, ?)
            on conflict (job_id, attempt) do update set
                permit = excluded.permit, kind = excluded.kind, slot = excluded.slot,
                started_at = excluded.started_at, ended_at = excluded.ended_at, http_status = excluded.http_status,
                headers = excluded.headers, body = excluded.body, body_is_text = excluded.body_is_text,
                cut = excluded.cut, error = excluded.error
            where excluded.permit > results.permit
               or (excluded.permit = results.permit and results.http_status is null
                   and excluded.http_status is not null)
            """;

    private final DataSource database;

    ResultsTable(DataSource database) {
        this.database = database;
    }

    /**
     * Writes all in one transaction. A row that PostgreSQL refuses for what it holds is logged and left out; it does not
     * keep the others from being written.
     *
     * @throws SQLException when PostgreSQL is away, slow or refuses everything: nothing may be taken as written
     */
    void write(Collection<Outcome> outcomes) throws SQLException {
        List<Outcome> rows = newest(outcomes);
        if (rows.isEmpty()) {
            return;
        }
        try {
            writeAll(rows);
        } catch (SQLException e) {
            if (!isTheRowsOwnFault(e)) {
                throw e;
            }
            LOG.warn("PostgreSQL refuses a row among {} ({}); writing them one by one", rows.size(), reason(e));
            writeEach(rows);
        }
    }

    /** One row for each attempt, for a batch must not name a row twice; the rule is the statement's own. */
    private static List<Outcome> newest(Collection<Outcome> outcomes) {
        Map<String, Outcome> byAttempt = new LinkedHashMap<>();
        for (Outcome outcome : outcomes) {
            if (outcome.kind() == Outcome.Kind.RETURNED) {
                continue;
            }
            byAttempt.merge(outcome.jobId() + "/" + outcome.attempt(), outcome, ResultsTable::newer);
        }
        return List.copyOf(byAttempt.values());
    }

    private static Outcome newer(Outcome first, Outcome second) {
        if (first.permit() != second.permit()) {
            return first.permit() > second.permit() ? first : second;
        }
        return first.answer() != null ? first : second;
    }

    private void writeAll(List<Outcome> rows) throws SQLException {
        try (Connection connection = database.getConnection()) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement = connection.prepareStatement(UPSERT)) {
                statement.setQueryTimeout((int) STATEMENT_TIMEOUT.toSeconds());
                for (Outcome row : rows) {
                    if (bind(statement, row)) {
                        statement.addBatch();
                    }
                }
                statement.executeBatch();
                connection.commit();
            } catch (SQLException e) {
                rollback(connection, e);
                throw e;
            }
        }
    }

    private void writeEach(List<Outcome> rows) throws SQLException {
        for (Outcome row : rows) {
            try {
                writeAll(List.of(row));
            } catch (SQLException e) {
                if (!isTheRowsOwnFault(e)) {
                    throw e;
                }
                LOG.error(
                        "job {} attempt {} of {}: PostgreSQL refuses the result, it is left out there and stays in"
                                + " weir.outcomes: {}",
                        row.jobId(),
                        row.attempt(),
                        row.upstream(),
                        reason(e));
            }
        }
    }

    private static void rollback(Connection connection, SQLException cause) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            cause.addSuppressed(e);
        }
    }

    /** The first line of the innermost message: the outer ones of a batch repeat the whole statement with its values. */
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

    /** False when the outcome is none of a job of ours: it can have no row. */
    private static boolean bind(PreparedStatement statement, Outcome outcome) throws SQLException {
        UUID job;
        try {
            job = UUID.fromString(outcome.jobId());
        } catch (IllegalArgumentException e) {
            LOG.error(
                    "an outcome of {} names the job {}, which is no UUID; it is left out",
                    outcome.upstream(),
                    outcome.jobId());
            return false;
        }
        Answer answer = outcome.answer();
        int i = 0;
        statement.setObject(++i, job);
        statement.setInt(++i, outcome.attempt());
        statement.setLong(++i, outcome.permit());
        statement.setString(++i, withoutNul(outcome.tenant()));
        statement.setString(++i, withoutNul(outcome.upstream()));
        statement.setString(++i, outcome.kind().name().toLowerCase(Locale.ROOT));
        statement.setObject(++i, utc(outcome.slot()));
        statement.setObject(++i, utc(outcome.startedAt()), Types.TIMESTAMP_WITH_TIMEZONE);
        statement.setObject(++i, utc(outcome.endedAt()));
        statement.setObject(++i, answer == null ? null : answer.status(), Types.INTEGER);
        statement.setString(++i, answer == null ? null : headers(answer.headers()));
        statement.setBytes(++i, answer == null ? null : body(answer));
        statement.setBoolean(++i, answer != null && answer.body() != null);
        statement.setBoolean(++i, answer != null && answer.cut());
        statement.setString(++i, withoutNul(outcome.error()));
        return true;
    }

    private static @Nullable OffsetDateTime utc(@Nullable Instant instant) {
        return instant == null ? null : instant.atOffset(ZoneOffset.UTC);
    }

    private static byte @Nullable [] body(Answer answer) throws SQLException {
        if (answer.body() != null) {
            return answer.body().getBytes(StandardCharsets.UTF_8);
        }
        try {
            return answer.bodyBase64() == null ? null : Base64.getDecoder().decode(answer.bodyBase64());
        } catch (IllegalArgumentException e) {
            throw new SQLException("the body is no base64", PSQLState.DATA_ERROR.getState(), e);
        }
    }

    private static String headers(Map<String, String> headers) throws SQLException {
        Map<String, String> clean = new LinkedHashMap<>();
        headers.forEach((name, value) -> clean.put(clean(name), clean(value)));
        try {
            return Json.MAPPER.writeValueAsString(clean);
        } catch (JsonProcessingException e) {
            throw new SQLException("the headers are no JSON", PSQLState.DATA_ERROR.getState(), e);
        }
    }

    private static @Nullable String withoutNul(@Nullable String text) {
        return text == null ? null : clean(text);
    }

    /** PostgreSQL takes neither NUL nor half a surrogate pair in text and jsonb. */
    private static String clean(String text) {
        String readable = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        return readable.replace('\0', '\uFFFD');
    }
}
