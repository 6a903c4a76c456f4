package dev.weir.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedPostgresServerIT {
    @TempDir
    Path dir;

    @Test
    void shouldStopTheOrphanAndKeepItsRows_whenTheFormerProcessWasKilled() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        PostgresProcess.class.getName(),
                        dir.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        ProcessHandle orphan;
        try (var out = process.inputReader(StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).isEqualTo("stored");
            orphan = postmaster();
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertThat(orphan.isAlive()).isTrue();

        int value;
        try (EmbeddedPostgresServer server = new EmbeddedPostgresServer(dir, 0, InstantSource.system())) {
            assertThat(orphan.isAlive()).isFalse();
            value = read(server);
        }

        assertThat(value).isEqualTo(42);
    }

    @Test
    void shouldLeaveNoProcess_whenClosed() throws Exception {
        ProcessHandle postmaster;
        try (EmbeddedPostgresServer server = new EmbeddedPostgresServer(dir, 0, InstantSource.system())) {
            store(server);
            postmaster = postmaster();
            assertThat(postmaster.isAlive()).isTrue();
        }

        assertThat(postmaster.isAlive()).isFalse();
    }

    @Test
    void shouldLetNobodyInWithoutThePassword_whenItIsNew() throws Exception {
        try (EmbeddedPostgresServer server = new EmbeddedPostgresServer(dir, 0, InstantSource.system())) {
            String base = "jdbc:postgresql://127.0.0.1:" + server.port();

            assertThatThrownBy(() -> DriverManager.getConnection(base + "/weir?user=postgres")
                            .close())
                    .isInstanceOf(SQLException.class);
            assertThatThrownBy(() -> DriverManager.getConnection(base + "/weir?user=postgres&password=x")
                            .close())
                    .isInstanceOf(SQLException.class);

            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(dir.resolve("password"))))
                    .isEqualTo("rw-------");
        }
    }

    @Test
    void shouldRefuseAndDeleteNothing_whenTheDataIsCorrupt() throws Exception {
        Files.createDirectories(dir.resolve("data"));
        Files.writeString(dir.resolve("data").resolve("postgresql.conf"), "");
        Files.createFile(dir.resolve("ready"));

        assertThatThrownBy(() -> new EmbeddedPostgresServer(dir, 0, InstantSource.system()).close())
                .isInstanceOf(StartException.class)
                .hasMessageContaining(dir.toString());

        assertThat(dir.resolve("data").resolve("postgresql.conf")).exists();
    }

    static void store(EmbeddedPostgresServer server) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.url());
                Statement statement = connection.createStatement()) {
            statement.execute("create table kept as select 42 as value");
        }
    }

    private static int read(EmbeddedPostgresServer server) throws SQLException {
        try (Connection connection = DriverManager.getConnection(server.url());
                Statement statement = connection.createStatement();
                var rows = statement.executeQuery("select value from kept")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    private ProcessHandle postmaster() throws Exception {
        String pid = Files.readAllLines(dir.resolve("data").resolve("postmaster.pid"))
                .get(0);
        return ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
    }

    @Test
    void shouldNotTouchSomebodyElsesServer_whenThePidFileNamesIt() throws Exception {
        Path other = dir.resolve("other");
        try (EmbeddedPostgresServer server = new EmbeddedPostgresServer(dir, 0, InstantSource.system())) {
            store(server);
            Files.createDirectories(other);
            try (EmbeddedPostgresServer second = new EmbeddedPostgresServer(other, 0, InstantSource.system())) {
                store(second);
            }
            // As after a copy of a directory whose server runs: the same number, the same time.
            Path pidFile = dir.resolve("data").resolve("postmaster.pid");
            Files.copy(pidFile, other.resolve("data").resolve("postmaster.pid"));

            try (EmbeddedPostgresServer second = new EmbeddedPostgresServer(other, 0, InstantSource.system())) {
                assertThat(read(second)).isEqualTo(42);
                assertThat(postmaster().isAlive()).isTrue();
                assertThat(read(server)).isEqualTo(42);
            }
        }
    }

    @Test
    void shouldLeaveNoProcess_whenItDoesNotComeUp() throws Exception {
        new EmbeddedPostgresServer(dir, 0, InstantSource.system()).close();
        // Nobody gets in with another password, so it never seems to be up.
        Files.writeString(dir.resolve("password"), "another");

        assertThatThrownBy(
                        () -> new EmbeddedPostgresServer(dir, 0, InstantSource.system(), Duration.ofSeconds(4)).close())
                .isInstanceOf(StartException.class);

        assertThat(new PostgresProcesses(dir.resolve("data")).server()).isNull();
    }

    @Test
    void shouldRefuse_whenTheDataOfAReadyOneIsGone() throws Exception {
        Files.createFile(dir.resolve("ready"));

        assertThatThrownBy(() -> new EmbeddedPostgresServer(dir, 0, InstantSource.system()).close())
                .isInstanceOf(StartException.class)
                .hasMessageContaining("PG_VERSION is missing");

        assertThat(dir.resolve("data")).doesNotExist();
    }

    @Test
    void shouldStart_whenAnEarlierFirstStartWasKilled() throws Exception {
        Files.createDirectories(dir.resolve("data"));
        Files.writeString(dir.resolve("data").resolve("postgresql.conf"), "");

        try (EmbeddedPostgresServer server = new EmbeddedPostgresServer(dir, 0, InstantSource.system())) {
            store(server);
            assertThat(read(server)).isEqualTo(42);
        }
    }
}
