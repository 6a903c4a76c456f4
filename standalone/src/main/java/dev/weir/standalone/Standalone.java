package dev.weir.standalone;

import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.KafkaSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Everything in this process: Kafka, PostgreSQL, all roles, one HTTP port; what it keeps is in one directory. Ready when the
 * constructor returns.
 */
public final class Standalone implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Standalone.class);

    /** Where it listens unless told otherwise: nobody but this machine gets in. */
    public static final String HOST = "127.0.0.1";

    /**
     * No longer than elsewhere, though a suspended process then loses its places: a stream thread that was fenced and
     * replaced meanwhile is a new member, and waits this long for those that its static predecessor still holds (seen with
     * 100 s). A restart after a kill does not wait for it: the members take their own places back.
     */
    private static final Duration SESSION_TIMEOUT = KafkaSettings.SESSION_TIMEOUT;

    private static final short REPLICATION = 1;
    /** A person at a terminal waits for it. */
    private static final Duration DRAIN = Duration.ofSeconds(8);

    /** Waiting for one that is just starting, so that it can be asked to stop. */
    private static final Duration POSTGRES_START_PATIENCE = Duration.ofSeconds(15);

    private static final Duration POSTGRES_CLOSE_TIMEOUT =
            POSTGRES_START_PATIENCE.plus(Lifecycle.CLOSE_TIMEOUT).plus(Lifecycle.CLOSE_TIMEOUT);

    /**
     * @param host the address that HTTP listens on; what is embedded listens on this machine's alone
     * @param kafkaPort and postgresPort: 0 for a free one; so for {@code port}
     * @param leave how long it says that it is not ready before it stops
     */
    public record Options(
            WeirConfig config, Path dataDir, String host, int port, int kafkaPort, int postgresPort, Duration leave) {
        /** For this machine alone, and stopping at once. */
        public Options(WeirConfig config, Path dataDir, int port, int kafkaPort, int postgresPort) {
            this(config, dataDir, HOST, port, kafkaPort, postgresPort, Duration.ZERO);
        }
    }

    private final Lifecycle parts;
    private final String host;
    private final EmbeddedKafka kafka;
    private final EmbeddedPostgresServer postgres;
    private final Roles roles;

    /** @throws StartException when something is in the way; whatever had started is closed again */
    public Standalone(Options options) throws InterruptedException {
        this(options, new Lifecycle());
    }

    /** @param parts gets all that starts, and may be closed meanwhile; closed already when this throws */
    public Standalone(Options options, Lifecycle parts) throws InterruptedException {
        this.parts = parts;
        this.host = options.host();
        try {
            DataDir dir = parts.add("data directory", new DataDir(options.dataDir()));
            Ports.requireFree(options.host(), options.port(), "Weir's HTTP server", "--port");
            CompletableFuture<EmbeddedPostgresServer> starting = new CompletableFuture<>();
            // Added before it starts: it is a process of its own, which nothing else ends.
            parts.add("PostgreSQL", () -> stop(starting, dir.postgres()), POSTGRES_CLOSE_TIMEOUT);
            starting.completeAsync(
                    () -> new EmbeddedPostgresServer(dir.postgres(), options.postgresPort(), InstantSource.system()));
            kafka = parts.add("Kafka", new EmbeddedKafka(dir.kafka(), options.kafkaPort()));
            postgres = join(starting);
            dir.complete();
            KafkaSettings settings = new KafkaSettings(
                    kafka.bootstrapServers(), "standalone", dir.state(), REPLICATION, SESSION_TIMEOUT, true);
            roles = new Roles(
                    EnumSet.allOf(Role.class),
                    new Roles.Surroundings(
                            options.config(),
                            settings,
                            postgres.url(),
                            null,
                            options.host(),
                            options.port(),
                            null,
                            DRAIN,
                            options.leave()),
                    parts);
        } catch (RuntimeException | Error | InterruptedException e) {
            if (parts.isClosed()) {
                // Whatever it says: its ground was taken away.
                throw new StartException("stopped while it was starting; what had started is closed again", e);
            }
            parts.close();
            throw e;
        }
    }

    /** {@code http://host:port}, as seen from this machine. */
    public String url() {
        boolean any = host.equals("0.0.0.0") || host.equals("::");
        return "http://" + (any ? HOST : host.contains(":") ? "[" + host + "]" : host) + ":" + roles.port();
    }

    public String bootstrapServers() {
        return kafka.bootstrapServers();
    }

    public int postgresPort() {
        return postgres.port();
    }

    @Override
    public void close() {
        parts.close();
    }

    private static void stop(CompletableFuture<EmbeddedPostgresServer> starting, Path dir) throws Exception {
        try {
            starting.get(POSTGRES_START_PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                    .close();
        } catch (TimeoutException | ExecutionException e) {
            LOG.debug("PostgreSQL has not come up; stopping what there is of it: {}", e.toString());
            EmbeddedPostgresServer.stopLeftOver(dir);
        }
    }

    private static <T> T join(CompletableFuture<T> starting) {
        try {
            return starting.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
