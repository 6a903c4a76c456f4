package dev.weir.standalone;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PostgreSQL 17 as a child process, on the loopback address, with a password of its own. The data stays. The child outlives
 * a kill of this process; the next start on the same directory finds and stops it. Not thread-safe.
 */
public final class EmbeddedPostgresServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgresServer.class);
    private static final String HOST = "127.0.0.1";
    private static final String NAME = "weir";
    private static final String UNFINISHED = "unfinished-";
    private static final String MAJOR_VERSION = "17";
    private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
    /** The library's own stop gives up after 5 s and does not say so. */
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);

    private static final int PASSWORD_BYTES = 24;
    private static final int MAX_CONNECTIONS = 100;

    private final EmbeddedPostgres server;
    private final PostgresProcesses processes;
    private final Path data;
    private final String url;

    /**
     * Sets the directory up when it is new, stops an orphan of an earlier life, starts, and returns when it takes
     * connections.
     *
     * @param dir holds the data ({@code data}) and the password (readable by the owner only)
     * @param port 0 for a free one
     * @throws StartException when it cannot start; nothing is deleted then
     */
    public EmbeddedPostgresServer(Path dir, int port, InstantSource clock) {
        this(dir, port, clock, START_TIMEOUT);
    }

    EmbeddedPostgresServer(Path dir, int port, InstantSource clock, Duration startTimeout) {
        Path absolute = dir.toAbsolutePath();
        this.data = absolute.resolve("data");
        this.processes = new PostgresProcesses(data);
        Path ready = absolute.resolve("ready");
        try {
            requireWhole(data, ready);
            Files.createDirectories(absolute);
            processes.stop();
            Ports.requireFree(HOST, port, "the embedded PostgreSQL", "--postgres-port");
            if (Files.exists(data) && !Files.exists(ready)) {
                setAside(absolute, clock);
            }
            Path passwordFile = absolute.resolve("password");
            String password = password(passwordFile, Files.exists(ready));
            this.server = start(absolute, port, passwordFile, password, startTimeout);
            try {
                createDatabase(password);
                if (!Files.exists(ready)) {
                    Files.createFile(ready);
                }
            } catch (SQLException | IOException e) {
                close();
                throw e;
            }
            this.url = "jdbc:postgresql://" + HOST + ":" + server.getPort() + "/" + NAME + "?user=" + NAME
                    + "&password=" + password;
        } catch (IOException | SQLException e) {
            throw new StartException(
                    "the embedded PostgreSQL did not start in " + absolute + ": " + reason(e)
                            + "; nothing was deleted, its own log is in " + data.resolve("log"),
                    e);
        }
    }

    /** Stops whatever PostgreSQL runs on {@code dir}; nothing happens when none does. */
    public static void stopLeftOver(Path dir) throws IOException {
        new PostgresProcesses(dir.toAbsolutePath().resolve("data")).stop();
    }

    /** For {@code WEIR_DATABASE_URL}; holds the password. */
    public String url() {
        return url;
    }

    public int port() {
        return server.getPort();
    }

    @Override
    public void close() {
        try {
            ProcessHandle child = processes.server();
            server.close();
            if (child != null && !PostgresProcesses.ended(child, STOP_TIMEOUT)) {
                processes.stop();
            }
        } catch (IOException e) {
            LOG.warn("the embedded PostgreSQL did not stop cleanly; the next start deals with it: {}", e.getMessage());
        }
    }

    private EmbeddedPostgres start(Path dir, int port, Path passwordFile, String password, Duration timeout)
            throws IOException {
        EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(binaries(dir))
                .setDataDirectory(data)
                .setCleanDataDirectory(false)
                .setRegisterShutdownHook(false)
                .setPGStartupWait(timeout)
                .setPort(port == 0 ? Ports.free() : port)
                .setConnectConfig("password", password);
        // These reach initdb as they are: no moment without a password, not even the first.
        builder.setLocaleConfig("pwfile", passwordFile.toString())
                .setLocaleConfig("auth-host", "scram-sha-256")
                .setLocaleConfig("auth-local", "scram-sha-256")
                .setLocaleConfig("locale", "C");
        Map<String, String> settings = Map.ofEntries(
                Map.entry("listen_addresses", HOST),
                Map.entry("unix_socket_directories", "''"),
                Map.entry("max_connections", Integer.toString(MAX_CONNECTIONS)),
                // The library is made for tests and switches these off; here results must outlive a power cut.
                Map.entry("fsync", "on"),
                Map.entry("synchronous_commit", "on"),
                Map.entry("shared_buffers", "32MB"),
                Map.entry("max_wal_size", "256MB"),
                Map.entry("max_parallel_workers_per_gather", "0"),
                Map.entry("jit", "off"),
                Map.entry("logging_collector", "on"),
                Map.entry("log_directory", "log"),
                Map.entry("log_filename", "postgresql-%a.log"),
                Map.entry("log_truncate_on_rotation", "on"),
                Map.entry("log_rotation_size", "0"),
                Map.entry("log_checkpoints", "off"));
        settings.forEach(builder::setServerConfig);
        try {
            return builder.start();
        } catch (IllegalStateException | IOException e) {
            // The library gives up, but leaves what it has started.
            try {
                processes.stop();
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw new IOException(reason(e), e);
        }
    }

    private void createDatabase(String password) throws SQLException {
        try (Connection connection =
                        server.getPostgresDatabase(Map.of("password", password)).getConnection();
                Statement statement = connection.createStatement()) {
            if (!exists(statement, "select 1 from pg_roles where rolname = '" + NAME + "'")) {
                // The password is Base64 (URL form): nothing in it needs quoting.
                statement.execute("create role " + NAME + " login password '" + password + "'");
            }
            if (!exists(statement, "select 1 from pg_database where datname = '" + NAME + "'")) {
                statement.execute("create database " + NAME + " owner " + NAME);
            }
        }
    }

    private static boolean exists(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            return rows.next();
        }
    }

    /** Killed in the middle of its first start: it holds no result yet, and no server starts on half of it. */
    private static void setAside(Path dir, InstantSource clock) throws IOException {
        List<Path> earlier;
        try (Stream<Path> entries = Files.list(dir)) {
            earlier = entries.filter(entry -> entry.getFileName().toString().startsWith(UNFINISHED))
                    .toList();
        }
        for (Path one : earlier) {
            Directories.delete(one);
        }
        Files.move(dir.resolve("data"), dir.resolve(UNFINISHED + clock.millis()));
    }

    private static String password(Path file, boolean ready) throws IOException {
        if (Files.exists(file)) {
            return Files.readString(file).strip();
        }
        if (ready) {
            throw new IOException(file + " is missing; restore it from a copy, or name another --data-dir");
        }
        byte[] bytes = new byte[PASSWORD_BYTES];
        new SecureRandom().nextBytes(bytes);
        String password = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        // Beside first: after a kill there is either no password or a whole one.
        Path beside = file.resolveSibling("password.new");
        Files.deleteIfExists(beside);
        Files.createFile(beside, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(beside, password + "\n", StandardOpenOption.WRITE, StandardOpenOption.SYNC);
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        return password;
    }

    /** Told here in one line; the server would only fail to come up, or come up with nothing in it. */
    private static void requireWhole(Path data, Path ready) throws IOException {
        Path file = data.resolve("PG_VERSION");
        if (!Files.exists(ready)) {
            return;
        }
        if (!Files.exists(file)) {
            throw new IOException(
                    file + " is missing, so this is no whole PostgreSQL directory; restore it from a copy,"
                            + " or name another --data-dir");
        }
        String version = Files.readString(file).strip();
        if (!version.equals(MAJOR_VERSION)) {
            throw new IOException(
                    data + " was written by PostgreSQL " + version + ", and this one is " + MAJOR_VERSION);
        }
    }

    /** The unpacked binaries are shared by all data directories of this user; the system's temp folder is anyone's. */
    private static File binaries(Path dir) {
        Path own = dir.resolve("binaries");
        String home = System.getProperty("user.home", "");
        // Java says "?" for a user without a home, such as an arbitrary one in a container.
        if (!home.startsWith("/")) {
            return own.toFile();
        }
        Path cache = Path.of(home, ".cache", "weir", "postgresql");
        try {
            Files.createDirectories(cache);
            if (Files.isWritable(cache)) {
                return cache.toFile();
            }
            LOG.info("{} is not writable; unpacking PostgreSQL in {}", cache, own);
        } catch (IOException e) {
            LOG.info("{} cannot be used ({}); unpacking PostgreSQL in {}", cache, e.getMessage(), own);
        }
        return own.toFile();
    }

    private static String reason(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        return message.lines()
                .filter(line -> !line.isBlank())
                .reduce((first, second) -> first.length() + second.length() > 300 ? first : first + " " + second)
                .orElse(failure.getClass().getSimpleName());
    }
}
