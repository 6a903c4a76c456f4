package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.db.ConnectionBudget;
import dev.weir.contracts.db.Database;
import dev.weir.dispatcher.Migrations;
import dev.weir.standalone.EmbeddedPostgresServer;
import dev.weir.standalone.TestPorts;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many connections there are, by PostgreSQL's own count; directly, and through a PgBouncer that pools transactions. */
class DatabaseConnectionsIT {
    private static final int BUDGET = 90;
    private static final int SHARE = 3;
    private static final int BEHIND_THE_BOUNCER = 5;
    private static final int STATEMENTS = 200;

    private static final Duration HELD = Duration.ofMillis(300);
    /** A busy machine takes its time to open ninety. */
    private static final Duration HELD_UNTIL_ALL_ARE_OPEN = Duration.ofSeconds(3);

    @TempDir
    static Path dir;

    private static EmbeddedPostgresServer postgres;

    @BeforeAll
    static void start() {
        postgres = new EmbeddedPostgresServer(dir.resolve("postgres"), 0, InstantSource.system());
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @Test
    void shouldStayWithinTheBudget_whenMoreProcessesStartThanThereIsRoomFor() throws Exception {
        List<AutoCloseable> parts = new ArrayList<>();
        try {
            List<Database> fleet = new ArrayList<>();
            List<ConnectionBudget> budgets = new ArrayList<>();
            for (int i = 0; i < BUDGET / SHARE; i++) {
                Database database = database(postgres.url());
                parts.add(0, database);
                ConnectionBudget budget = new ConnectionBudget(database, "d" + i, "dispatcher", SHARE, BUDGET);
                parts.add(0, budget);
                assertThat(budget.start()).isNull();
                fleet.add(database);
                budgets.add(budget);
            }
            try (Database tooMuch = database(postgres.url())) {
                assertThat(new ConnectionBudget(tooMuch, "one more", "dispatcher", SHARE, BUDGET).start())
                        .contains("needs 3 connections", "is 90, of which 90 are claimed (30 dispatcher: 90)")
                        .doesNotContain("\n");
            }

            assertThat(mostConnections(() -> everyConnectionAtOnce(fleet, HELD_UNTIL_ALL_ARE_OPEN)))
                    .isBetween(BUDGET - 5, BUDGET);
            ConnectionBudget again = new ConnectionBudget(fleet.get(7), "d7", "dispatcher", SHARE, BUDGET);
            parts.add(0, again);
            assertThat(again.start()).isNull();
            budgets.get(0).close();
            Database oneMore = database(postgres.url());
            parts.add(0, oneMore);
            ConnectionBudget fits = new ConnectionBudget(oneMore, "one more", "dispatcher", SHARE, BUDGET);
            parts.add(0, fits);
            assertThat(fits.start()).isNull();
        } finally {
            for (AutoCloseable part : parts) {
                part.close();
            }
        }
    }

    @Test
    void shouldStartWithoutPostgres_andRefuseWhatCanNeverFit() throws Exception {
        try (Database away = database("postgresql://u:p@127.0.0.1:" + TestPorts.next() + "/none");
                ConnectionBudget budget = new ConnectionBudget(away, "d", "dispatcher", SHARE, BUDGET)) {
            assertThat(budget.start()).isNull();
            assertThat(budget.notReady()).isNull();
            assertThat(new ConnectionBudget(away, "e", "dispatcher", SHARE, 2).start())
                    .contains("needs 3 connections", "is 2");
        }
    }

    @Test
    void shouldWorkThroughPgBouncer_withAFewConnectionsForManyProcesses() throws Exception {
        List<AutoCloseable> parts = new ArrayList<>();
        try {
            PgBouncer bouncer = new PgBouncer(postgres.url(), BEHIND_THE_BOUNCER);
            parts.add(0, bouncer);
            List<Database> fleet = new ArrayList<>();
            for (int i = 0; i < BUDGET / 5; i++) {
                Database database = database(bouncer.url());
                parts.add(0, database);
                ConnectionBudget budget = new ConnectionBudget(database, "b" + i, "status", 5, BUDGET);
                parts.add(0, budget);
                assertThat(budget.start()).isNull();
                fleet.add(database);
            }
            Migrations.run(fleet.get(0).dataSource());
            Set<Integer> servers = ConcurrentHashMap.newKeySet();

            int most = mostConnections(() -> {
                everyConnectionAtOnce(fleet, HELD);
                servers.addAll(sameStatementManyTimes(fleet));
                return null;
            });

            assertThat(servers)
                    .as("statements went over several server connections")
                    .hasSizeBetween(2, BEHIND_THE_BOUNCER);
            assertThat(most).isBetween(2, BEHIND_THE_BOUNCER);
            shouldFailThroughPgBouncer_whenStatementsArePreparedOnTheServer(bouncer);
        } finally {
            for (AutoCloseable part : parts) {
                part.close();
            }
        }
    }

    /** So that the test above proves something: with the driver's own setting the same statements fail. */
    private static void shouldFailThroughPgBouncer_whenStatementsArePreparedOnTheServer(PgBouncer bouncer) {
        try (Database prepares = new Database(
                bouncer.url() + "?prepareThreshold=1",
                5,
                "prepares",
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT))) {
            assertThatThrownBy(() -> sameStatementManyTimes(List.of(prepares)))
                    .isInstanceOf(ExecutionException.class)
                    .hasMessageContaining("prepared statement");
        }
    }

    /** All pools filled to their size, each connection with a transaction of its own. */
    private static Void everyConnectionAtOnce(List<Database> fleet, Duration held) throws Exception {
        return onThreads(fleet, 5, database -> {
            try (Connection connection = database.dataSource().getConnection();
                    Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                statement.execute("select pg_sleep(" + held.toMillis() / 1000.0 + ")");
                connection.commit();
            } catch (SQLException e) {
                // A pool of three has no fourth connection; that is what is counted.
                assertThat(e.getMessage()).contains("Connection is not available");
            }
            return null;
        });
    }

    /** The server connections that the statements went over. */
    private static Set<Integer> sameStatementManyTimes(List<Database> fleet) throws Exception {
        Set<Integer> servers = ConcurrentHashMap.newKeySet();
        onThreads(fleet, 4, database -> {
            for (int i = 0; i < STATEMENTS / fleet.size() + 10; i++) {
                try (Connection connection = database.dataSource().getConnection();
                        PreparedStatement statement = connection.prepareStatement("select pg_backend_pid(), ?::int")) {
                    statement.setInt(1, i);
                    try (ResultSet row = statement.executeQuery()) {
                        assertThat(row.next()).isTrue();
                        servers.add(row.getInt(1));
                        assertThat(row.getInt(2)).isEqualTo(i);
                    }
                }
            }
            return null;
        });
        return servers;
    }

    private interface Work {
        Void with(Database database) throws Exception;
    }

    private static Void onThreads(List<Database> fleet, int threadsEach, Work work) throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        try {
            List<Future<Void>> running = new ArrayList<>();
            CountDownLatch together = new CountDownLatch(1);
            for (Database database : fleet) {
                for (int i = 0; i < threadsEach; i++) {
                    running.add(threads.submit(() -> {
                        together.await();
                        return work.with(database);
                    }));
                }
            }
            together.countDown();
            ExecutionException failure = null;
            for (Future<Void> one : running) {
                try {
                    one.get();
                } catch (ExecutionException e) {
                    failure = e;
                }
            }
            if (failure != null) {
                throw failure;
            }
            return null;
        } finally {
            threads.shutdownNow();
        }
    }

    /** The most connections of Weir that {@code pg_stat_activity} shows while this runs. */
    private static int mostConnections(Callable<Void> load) throws Exception {
        try (Database watch = new Database(
                        postgres.url(), 1, "watch", new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
                Connection connection = watch.dataSource().getConnection();
                PreparedStatement count = connection.prepareStatement("select count(*) from pg_stat_activity,"
                        + " pg_sleep(0.01) where usename = 'weir' and pid <> pg_backend_pid()")) {
            ExecutorService thread = Executors.newSingleThreadExecutor();
            try {
                Future<Void> running = thread.submit(load);
                int most = 0;
                while (!running.isDone()) {
                    try (ResultSet row = count.executeQuery()) {
                        assertThat(row.next()).isTrue();
                        most = Math.max(most, row.getInt(1));
                    }
                }
                running.get();
                System.out.println("the most connections in pg_stat_activity: " + most);
                return most;
            } finally {
                thread.shutdownNow();
            }
        }
    }

    private static Database database(String url) {
        return new Database(
                url, ConnectionBudget.WITHOUT_CLAIM, "weir", new PrometheusMeterRegistry(PrometheusConfig.DEFAULT));
    }
}
