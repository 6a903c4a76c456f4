package dev.weir.dispatcher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.db.Database;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ResultsTableIT {
    private static final Instant SLOT = Instant.parse("2026-11-22T10:00:00.123456Z");

    private static final Duration RETENTION = Duration.ofDays(5);

    private final EmbeddedPostgres postgres;
    private final Database database;
    private final ResultsTable table;

    ResultsTableIT() throws Exception {
        postgres = EmbeddedPostgres.builder().start();
        database = new Database(
                "postgresql://postgres@127.0.0.1:" + postgres.getPort() + "/postgres", 3, "test", registry());
        table = new ResultsTable(database.dataSource(), partitions(database));
    }

    private static ResultsPartitions partitions(Database database) {
        return new ResultsPartitions(database.dataSource(), RETENTION, () -> SLOT);
    }

    private static PrometheusMeterRegistry registry() {
        return new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    }

    /** From the first version's table, with something in it. */
    @BeforeAll
    void migrateTwice() throws SQLException {
        Flyway.configure()
                .dataSource(database.dataSource())
                .table("weir_schema_history")
                .target("1")
                .load()
                .migrate();
        execute("""
                insert into results (job_id, attempt, permit, tenant, upstream, kind, slot, ended_at, http_status, body)
                select gen_random_uuid(), 1, 1, 'local', 'counter', 'answered', slot, slot, 200, 'x'
                from (values (timestamptz '2026-11-20 23:59:59.9Z'), (timestamptz '2026-11-21 00:00Z')) as s (slot)
                """);
        Migrations.run(database.dataSource());
        Migrations.run(database.dataSource());
        assertThat(column("select day::text from results order by 1")).containsExactly("2026-11-20", "2026-11-21");
    }

    @BeforeEach
    void empty() throws SQLException {
        execute("delete from results");
    }

    @AfterAll
    void stop() throws Exception {
        database.close();
        postgres.close();
    }

    @Test
    void shouldKeepTheWholeAnswer_whenItIsText() throws Exception {
        UUID job = UUID.randomUUID();
        Answer answer = new Answer(201, Map.of("content-type", "text/plain"), "snow \u2603", null, true);

        write(List.of(outcome(job, 2, Outcome.Kind.ANSWERED, answer, null)));

        Map<String, Object> row = onlyRow();
        assertThat(row)
                .containsEntry("job_id", job)
                .containsEntry("attempt", 2)
                .containsEntry("permit", 7L)
                .containsEntry("tenant", "local")
                .containsEntry("upstream", "counter")
                .containsEntry("kind", "answered")
                .containsEntry("http_status", 201)
                .containsEntry("body_is_text", true)
                .containsEntry("cut", true)
                .containsEntry("body", "snow \u2603".getBytes(StandardCharsets.UTF_8));
        assertThat(String.valueOf(row.get("headers"))).contains("content-type");
        assertThat(row).containsEntry("slot", Timestamp.from(SLOT));
    }

    @Test
    void shouldKeepBytes_whenTheAnswerIsNoText() throws Exception {
        write(List.of(outcome(
                UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, new Answer(200, Map.of(), null, "AAH/", false), null)));

        assertThat(onlyRow()).containsEntry("body_is_text", false).containsEntry("body", new byte[] {0, 1, (byte) 0xFF
        });
    }

    @Test
    void shouldWriteOneRow_whenAnOutcomeComesAgain() throws Exception {
        Outcome outcome = outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, ok("first"), null);

        write(List.of(outcome, outcome));
        write(List.of(outcome));

        assertThat(onlyRow()).containsEntry("http_status", 200);
    }

    @Test
    void shouldKeepTheAnswer_whenAFailureOfTheSameAttemptComesBeforeOrAfter() throws Exception {
        UUID job = UUID.randomUUID();
        Outcome failure = outcome(job, 1, Outcome.Kind.FAILED, null, "timed out");

        write(List.of(failure));
        write(List.of(outcome(job, 1, Outcome.Kind.ANSWERED, ok("late"), null)));
        write(List.of(failure));

        assertThat(onlyRow()).containsEntry("kind", "answered").containsEntry("http_status", 200);
    }

    @Test
    void shouldKeepTheLaterPermitsAnswer_whenTheAttemptWasPushedBackBefore() throws Exception {
        UUID job = UUID.randomUUID();
        Outcome pushedBack =
                outcome(job, 1, Outcome.Kind.ANSWERED, new Answer(429, Map.of(), "slow down", null, false), null);
        Outcome answered =
                underPermit(pushedBack.permit() + 1, outcome(job, 1, Outcome.Kind.ANSWERED, ok("yes"), null));

        write(List.of(pushedBack));
        write(List.of(answered, pushedBack));
        write(List.of(pushedBack));

        assertThat(onlyRow()).containsEntry("http_status", 200);
    }

    @Test
    void shouldKeepTheLaterPermitsAnswer_whenItCameOnAnotherDay() throws Exception {
        UUID job = UUID.randomUUID();
        Answer no = new Answer(429, Map.of(), "slow down", null, false);
        Outcome evening = at(SLOT.minus(Duration.ofDays(1)), outcome(job, 1, Outcome.Kind.ANSWERED, no, null));
        Outcome night = underPermit(8, outcome(job, 1, Outcome.Kind.ANSWERED, ok("yes"), null));

        write(List.of(evening));
        assertThat(onlyRow()).containsEntry("http_status", 429);
        write(List.of(night));
        assertThat(onlyRow()).containsEntry("http_status", 200);
        write(List.of(evening));

        assertThat(onlyRow()).containsEntry("http_status", 200);
    }

    @Test
    void shouldDropTheDaysPastTheRetention_andTakeNoMoreOfThem() throws Exception {
        Outcome today = outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, ok("x"), null);
        Outcome old = at(SLOT.minus(RETENTION), outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, ok("x"), null));
        write(List.of(today, old));
        assertThat(days()).contains("results_20261117", "results_20261122").hasSizeGreaterThan(2);
        ResultsPartitions later =
                new ResultsPartitions(database.dataSource(), RETENTION, () -> SLOT.plus(Duration.ofDays(1)));
        ResultsTable tableLater = new ResultsTable(database.dataSource(), later);

        later.maintain();

        assertThat(days()).doesNotContain("results_20261117").contains("results_20261122", "results_20261124");
        assertThat(onlyRow()).containsEntry("job_id", UUID.fromString(today.jobId()));
        assertThat(tableLater.rows(List.of(old))).isEmpty();
        assertThat(tableLater.rows(List.of(at(Instant.MAX.minusSeconds(1), today))))
                .isEmpty();
    }

    @Test
    void shouldMakeThePartitionAgain_whenSomebodyDroppedIt() throws Exception {
        write(List.of(outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, ok("x"), null)));
        execute("drop table results_20261122");

        write(List.of(outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, ok("x"), null)));

        assertThat(rows()).hasSize(1);
    }

    @Test
    void shouldTakeThousandsInOneStatement_whenEachTakesTwoSeconds() throws Exception {
        execute("""
                create function slow() returns trigger language plpgsql as
                $$ begin perform pg_sleep(2); return null; end $$;
                create trigger slow before insert on results for each statement execute function slow()
                """);
        try {
            List<ResultRow> rows = table.rows(IntStream.range(0, 3000)
                    .mapToObj(i -> outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, ok("x"), null))
                    .toList());

            assertThat(table.writeSome(rows)).isEqualTo(3000);
            assertThat(rows()).hasSize(3000);
        } finally {
            execute("drop trigger slow on results; drop function slow");
        }
    }

    @Test
    void shouldShowAnalystsEachJobWithItsAttempts() throws Exception {
        UUID job = UUID.randomUUID();
        UUID dead = UUID.randomUUID();
        UUID failed = UUID.randomUUID();
        write(List.of(
                outcome(job, 1, Outcome.Kind.FAILED, null, "timed out"),
                outcome(job, 2, Outcome.Kind.ANSWERED, ok("yes"), null),
                outcome(dead, 1, Outcome.Kind.ANSWERED, new Answer(400, Map.of(), "no", null, false), null),
                outcome(failed, 1, Outcome.Kind.ANSWERED, new Answer(503, Map.of(), "no", null, false), null)));

        assertThat(column("select status || ' ' || attempts || ' ' || http_status || ' ' || latency_ms::int"
                        + " from weir_jobs order by 1"))
                .containsExactly("dead 1 400 19", "failed 1 503 19", "succeeded 2 200 38");
        assertThat(column("select attempt || ' ' || succeeded || ' ' || latency_ms::int || ' ' || lateness_ms::int"
                        + " from weir_attempts where day = '2026-11-22' and job_id = '" + job + "' order by attempt"))
                .containsExactly("1 false 19 1", "2 true 19 1");
    }

    private static Outcome at(Instant slot, Outcome o) {
        return new Outcome(
                o.v(),
                o.jobId(),
                o.tenant(),
                o.upstream(),
                o.permit(),
                o.attempt(),
                o.kind(),
                slot,
                slot,
                slot,
                o.answer(),
                o.error());
    }

    private static Outcome underPermit(long permit, Outcome o) {
        return new Outcome(
                o.v(),
                o.jobId(),
                o.tenant(),
                o.upstream(),
                permit,
                o.attempt(),
                o.kind(),
                o.slot(),
                o.startedAt(),
                o.endedAt(),
                o.answer(),
                o.error());
    }

    @Test
    void shouldStoreNothing_whenAPermitWasHandedBack() throws Exception {
        write(List.of(outcome(UUID.randomUUID(), 1, Outcome.Kind.RETURNED, null, "too late")));

        assertThat(rows()).isEmpty();
    }

    @Test
    void shouldReplaceWhatPostgresCannotHold_whenHeadersOrErrorsHaveNul() throws Exception {
        Answer odd = new Answer(200, Map.of("x-odd", "a\0b\uD800"), "ok", null, false);

        write(List.of(
                outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, odd, null),
                outcome(UUID.randomUUID(), 1, Outcome.Kind.FAILED, null, "a\0b")));

        assertThat(rows()).hasSize(2);
    }

    @Test
    void shouldWriteTheOthers_whenOneRowIsRefused() throws Exception {
        execute("alter table results add constraint odd check (tenant <> 'odd')");
        try {
            Outcome bad = outcome("odd", UUID.randomUUID().toString(), 1, Outcome.Kind.ANSWERED, ok("x"), null);
            Outcome noUuid = outcome("local", "not-a-uuid", 1, Outcome.Kind.ANSWERED, ok("x"), null);
            List<Outcome> good = IntStream.range(0, 5)
                    .mapToObj(i -> outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, ok("x"), null))
                    .toList();

            write(Stream.concat(Stream.of(bad, noUuid), good.stream()).toList());

            assertThat(rows()).hasSize(5);
        } finally {
            execute("alter table results drop constraint odd");
        }
    }

    @Test
    void shouldFailAndNotPretend_whenPostgresIsAway() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        try (Database away = new Database("postgresql://u:hunter2@127.0.0.1:" + port + "/db", 2, "away", registry())) {
            ResultsTable unreachable = new ResultsTable(away.dataSource(), partitions(away));

            assertThatThrownBy(() -> unreachable.writeSome(unreachable.rows(
                            List.of(outcome(UUID.randomUUID(), 1, Outcome.Kind.ANSWERED, ok("x"), null)))))
                    .isInstanceOf(SQLException.class)
                    .hasMessageNotContaining("hunter2");
        }
    }

    @Test
    void shouldShowTheConnections_whenMetricsAreRead() throws SQLException {
        PrometheusMeterRegistry metrics = registry();
        try (Database measured = new Database(
                "postgresql://postgres@127.0.0.1:" + postgres.getPort() + "/postgres", 2, "measured", metrics)) {
            try (Connection connection = measured.dataSource().getConnection()) {
                assertThat(connection.isValid(1)).isTrue();
                assertThat(metrics.scrape()).contains("weir_db_connections{state=\"active\"} 1");
            }
        }
    }

    private static Answer ok(String body) {
        return new Answer(200, Map.of(), body, null, false);
    }

    private static Outcome outcome(
            UUID job, int attempt, Outcome.Kind kind, @Nullable Answer answer, @Nullable String error) {
        return outcome("local", job.toString(), attempt, kind, answer, error);
    }

    private static Outcome outcome(
            String tenant,
            String job,
            int attempt,
            Outcome.Kind kind,
            @Nullable Answer answer,
            @Nullable String error) {
        Permit permit = new Permit(
                Permit.VERSION,
                job,
                tenant,
                "counter",
                7,
                SLOT,
                SLOT.plusSeconds(3),
                attempt,
                Duration.ofSeconds(30).toMillis(),
                Upstreams.call("GET", "/", null),
                null);
        return Outcomes.of(permit, kind, SLOT.plusMillis(1), SLOT.plusMillis(20), answer, error);
    }

    private void write(List<Outcome> outcomes) throws SQLException {
        List<ResultRow> left = table.rows(outcomes);
        while (!left.isEmpty()) {
            left = left.subList(table.writeSome(left), left.size());
        }
    }

    private Map<String, Object> onlyRow() throws SQLException {
        List<Map<String, Object>> rows = rows();
        assertThat(rows).hasSize(1);
        return rows.get(0);
    }

    private List<Map<String, Object>> rows() throws SQLException {
        List<Map<String, Object>> rows = new ArrayList<>();
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("select * from results")) {
            while (result.next()) {
                Map<String, Object> row = new HashMap<>();
                for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                    row.put(result.getMetaData().getColumnName(i), result.getObject(i));
                }
                rows.add(row);
            }
        }
        return rows;
    }

    private List<String> days() throws SQLException {
        return column("select inhrelid::regclass::text from pg_inherits where inhparent = 'results'::regclass");
    }

    private List<String> column(String query) throws SQLException {
        List<String> values = new ArrayList<>();
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(query)) {
            while (result.next()) {
                values.add(result.getString(1));
            }
        }
        return values;
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = database.dataSource().getConnection();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
