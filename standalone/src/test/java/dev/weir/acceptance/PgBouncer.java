package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;

import dev.weir.contracts.db.DatabaseUrl;
import dev.weir.standalone.TestPorts;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/**
 * Debian's PgBouncer, as it is installed, in transaction pooling before a PostgreSQL. Where it is missing it is installed with
 * apt-get if that can be done, as root; else the test is skipped with what to install, or fails with it under
 * {@code -Dweir.pgbouncer=required}.
 */
public final class PgBouncer implements AutoCloseable {
    private static final List<Path> PLACES = List.of(Path.of("/usr/sbin/pgbouncer"), Path.of("/usr/bin/pgbouncer"));
    private static final Duration INSTALL = Duration.ofMinutes(3);
    private static final Duration START = Duration.ofSeconds(20);
    /** It does not run as root; anybody else who owns nothing will do. */
    private static final String USER = "nobody";

    private final Path dir;
    private final Process process;
    private final String url;

    /**
     * @param postgresUrl as {@code EmbeddedPostgresServer} gives it
     * @param serverConnections how many it opens to PostgreSQL
     */
    public PgBouncer(String postgresUrl, int serverConnections) throws Exception {
        Path program = program();
        DatabaseUrl server = DatabaseUrl.parse(postgresUrl);
        String user = Objects.requireNonNull(server.user());
        String password = Objects.requireNonNull(server.password()).reveal();
        URI address = URI.create(server.jdbcUrl().substring("jdbc:".length()));
        int port = TestPorts.next();
        // Not in a test's own directory: its user must be able to read it.
        dir = Files.createTempDirectory(
                "pgbouncer", PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        Path users = Files.writeString(dir.resolve("users"), "\"" + user + "\" \"" + password + "\"\n");
        Path config = Files.writeString(dir.resolve("pgbouncer.ini"), """
                [databases]
                %s = host=%s port=%d dbname=%s
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = %d
                unix_socket_dir =
                auth_type = scram-sha-256
                auth_file = %s
                pool_mode = transaction
                default_pool_size = %d
                max_client_conn = 500
                ignore_startup_parameters = extra_float_digits
                """.formatted(
                        address.getPath().substring(1),
                        address.getHost(),
                        address.getPort(),
                        address.getPath().substring(1),
                        port,
                        users,
                        serverConnections));
        Path log = dir.resolve("log");
        List<String> command = new ArrayList<>(List.of(program.toString(), config.toString()));
        if (isRoot()) {
            command.addAll(1, List.of("-u", USER));
        }
        process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        url = "postgresql://" + user + ":" + password + "@127.0.0.1:" + port + address.getPath();
        await().atMost(START).until(() -> {
            assertThat(process.isAlive()).as(() -> read(log)).isTrue();
            return answers(port);
        });
    }

    /** For a test that is about something else: null where there is none. */
    static @Nullable PgBouncer ifInstalled(String postgresUrl, int serverConnections) throws Exception {
        return installed() == null ? null : new PgBouncer(postgresUrl, serverConnections);
    }

    /** For {@code WEIR_DATABASE_URL}; holds the password. */
    public String url() {
        return url;
    }

    private static Path program() throws IOException, InterruptedException {
        if (installed() == null && isRoot() && Files.isExecutable(Path.of("/usr/bin/apt-get"))) {
            String install = "apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq"
                    + " --no-install-recommends pgbouncer";
            Process apt = new ProcessBuilder("sh", "-c", install)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!apt.waitFor(INSTALL.toSeconds(), TimeUnit.SECONDS)) {
                apt.destroyForcibly();
            }
        }
        Path program = installed();
        if (program == null) {
            String missing = "PgBouncer is missing and could not be installed: apt-get install pgbouncer";
            if ("required".equals(System.getProperty("weir.pgbouncer"))) {
                fail(missing);
            }
            Assumptions.abort(missing);
        }
        return Objects.requireNonNull(program);
    }

    private static @Nullable Path installed() {
        return PLACES.stream().filter(Files::isExecutable).findFirst().orElse(null);
    }

    private static boolean isRoot() {
        return "root".equals(System.getProperty("user.name"));
    }

    private static boolean answers(int port) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress("127.0.0.1", port), 1000);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static String read(Path log) {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return log + " cannot be read: " + e.getMessage();
        }
    }

    @Override
    public void close() throws IOException {
        process.destroy();
        try {
            if (!process.waitFor(5, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        for (String file : List.of("users", "pgbouncer.ini", "log")) {
            Files.deleteIfExists(dir.resolve(file));
        }
        Files.delete(dir);
    }
}
