package dev.weir.standalone;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The PostgreSQL processes of one data directory, whoever started them. A number in a file proves nothing, since numbers are
 * given again and directories are copied: a process counts only if its own command line names the directory, or, where that
 * cannot be read, if it started when the file says so.
 */
final class PostgresProcesses {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresProcesses.class);
    private static final String SERVER = "postgres";
    /** What sets a directory up or starts the server there; all of them are told the directory. */
    private static final Set<String> PROGRAMS = Set.of(SERVER, "initdb", "pg_ctl");

    private static final int START_TIME_LINE = 2;
    /** The file has whole seconds, and the system's own reckoning of a start is not much finer. */
    private static final Duration START_TIME_TOLERANCE = Duration.ofSeconds(2);
    /** A fast shutdown first, then a kill; PostgreSQL recovers from both. */
    private static final Duration FAST_STOP_TIMEOUT = Duration.ofSeconds(10);

    private static final Duration KILL_TIMEOUT = Duration.ofSeconds(5);

    private final Path data;
    private final Path pidFile;

    PostgresProcesses(Path data) {
        this.data = data;
        this.pidFile = data.resolve("postmaster.pid");
    }

    /** The server that runs on the directory; null for none. */
    @Nullable
    ProcessHandle server() throws IOException {
        return all().stream()
                .filter(process -> SERVER.equals(program(process)))
                .findFirst()
                .orElse(null);
    }

    /** Stops what runs on the directory, and removes a pid file that names somebody else's process. */
    void stop() throws IOException {
        List<ProcessHandle> left = all();
        for (ProcessHandle process : left) {
            boolean server = SERVER.equals(program(process));
            LOG.info("stopping {} (process {}), left behind on {}", program(process), process.pid(), data);
            if (server) {
                // SIGINT is PostgreSQL's fast shutdown; Java itself sends none.
                new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                        .redirectErrorStream(true)
                        .start();
            }
            if (!server || !ended(process, FAST_STOP_TIMEOUT)) {
                process.destroyForcibly();
                if (!ended(process, KILL_TIMEOUT)) {
                    throw new IOException(
                            "process " + process.pid() + " is left of an earlier start and cannot be stopped");
                }
            }
        }
        if (left.isEmpty() && namedByFile().isPresent()) {
            // PostgreSQL itself only looks whether a process of that number lives, and would refuse to start.
            LOG.info("{} names a process that does not run on this directory; removing that file", pidFile);
            Files.deleteIfExists(pidFile);
        }
    }

    static boolean ended(ProcessHandle process, Duration patience) throws IOException {
        try {
            process.onExit().get(patience.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while an old PostgreSQL was stopping", e);
        } catch (ExecutionException e) {
            throw new IOException("the old PostgreSQL could not be watched: " + e.getMessage(), e);
        }
    }

    /** Helpers come before the server, so that none of them starts it again. */
    private List<ProcessHandle> all() throws IOException {
        if (!Files.isDirectory(data)) {
            return List.of();
        }
        Path real = data.toRealPath();
        Optional<ProcessHandle> named = namedByFile()
                .filter(process -> SERVER.equals(program(process)))
                .filter(process -> process.info().arguments().isEmpty())
                .filter(this::startedWhenTheFileSays);
        return Stream.concat(ProcessHandle.allProcesses().filter(process -> runsOn(process, real)), named.stream())
                .sorted((a, b) -> Boolean.compare(SERVER.equals(program(a)), SERVER.equals(program(b))))
                .toList();
    }

    private static boolean runsOn(ProcessHandle process, Path real) {
        if (!PROGRAMS.contains(program(process))) {
            return false;
        }
        String[] arguments = process.info().arguments().orElse(new String[0]);
        for (int i = 0; i + 1 < arguments.length; i++) {
            if (arguments[i].equals("-D")) {
                return real(arguments[i + 1]).filter(real::equals).isPresent();
            }
        }
        return false;
    }

    private static Optional<Path> real(String path) {
        try {
            return Optional.of(Path.of(path).toRealPath());
        } catch (IOException | InvalidPathException e) {
            LOG.debug("{} is no directory any more: {}", path, e.getMessage());
            return Optional.empty();
        }
    }

    private boolean startedWhenTheFileSays(ProcessHandle process) {
        try {
            List<String> lines = Files.readAllLines(pidFile);
            Instant told = Instant.ofEpochSecond(
                    Long.parseLong(lines.get(START_TIME_LINE).strip()));
            return process.info()
                    .startInstant()
                    .filter(started -> Duration.between(started, told).abs().compareTo(START_TIME_TOLERANCE) <= 0)
                    .isPresent();
        } catch (IOException | NumberFormatException | IndexOutOfBoundsException e) {
            LOG.warn("{} does not tell when its process started ({}); taken for a stale one", pidFile, e.getMessage());
            return false;
        }
    }

    /** Any living process of the number in PostgreSQL's own file, be it a server or not. */
    private Optional<ProcessHandle> namedByFile() throws IOException {
        if (!Files.exists(pidFile)) {
            return Optional.empty();
        }
        List<String> lines = Files.readAllLines(pidFile);
        try {
            return ProcessHandle.of(
                    Long.parseLong(lines.isEmpty() ? "" : lines.get(0).strip()));
        } catch (NumberFormatException e) {
            throw new IOException(pidFile + " cannot be read; if no postgres process runs on it, remove that file", e);
        }
    }

    private static String program(ProcessHandle process) {
        String command = process.info().command().orElse("");
        return command.substring(command.lastIndexOf('/') + 1);
    }
}
