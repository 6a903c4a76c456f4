package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Stops and starts a standalone Weir's PostgreSQL behind its back, with {@code pg_ctl}, and looks into it. */
final class PostgresControl {
    private static final int PORT_LINE = 3;

    private final Path data;
    private final String url;
    private final Path program;
    private final String options;

    /** @param dir {@code postgres} in the data directory of a Weir that runs */
    PostgresControl(Path dir) throws IOException {
        data = dir.resolve("data");
        String port = Files.readAllLines(data.resolve("postmaster.pid")).get(PORT_LINE);
        url = "jdbc:postgresql://127.0.0.1:" + port + "/weir?user=weir&password="
                + Files.readString(dir.resolve("password")).strip();
        // "/…/bin/postgres" "-D" "…"
        String command = Files.readString(data.resolve("postmaster.opts")).strip();
        int space = command.indexOf(' ');
        program = Path.of(command.substring(0, space).replace("\"", "")).resolveSibling("pg_ctl");
        options = command.substring(space + 1);
    }

    /** As a crash would. */
    void stopImmediately() throws Exception {
        control("stop", "-m", "immediate");
    }

    void start() throws Exception {
        control("start", "-o", options, "-l", data.resolve("start.log").toString());
    }

    private void control(String... arguments) throws Exception {
        List<String> command = new ArrayList<>();
        if ("root".equals(System.getProperty("user.name"))) {
            // It does not run as root; in a namespace of its own nobody is.
            command.addAll(List.of("unshare", "-U"));
        }
        command.addAll(List.of(program.toString(), "-D", data.toString(), "-w"));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("pg_ctl ends").isTrue();
        assertThat(process.exitValue()).as(() -> String.join(" ", command)).isZero();
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(url);
    }

    /** How many of these jobs have succeeded, by what analysts see. */
    int succeeded(List<String> jobs) throws SQLException {
        try (Connection connection = connect();
                PreparedStatement statement = connection.prepareStatement(
                        "select count(*) from weir_jobs where status = 'succeeded' and job_id = any (?::uuid[])")) {
            statement.setArray(1, connection.createArrayOf("text", jobs.toArray()));
            try (ResultSet row = statement.executeQuery()) {
                assertThat(row.next()).isTrue();
                return row.getInt(1);
            }
        }
    }
}
