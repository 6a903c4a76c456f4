package dev.weir.standalone;

import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.KafkaSettings;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.EnumSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Everything in this process: Kafka, PostgreSQL, all roles, one HTTP port; what it keeps is in one directory. Ready when the
 * constructor returns.
 */
public final class Standalone implements AutoCloseable {
    /** No authentication yet, so nobody but this machine gets in. */
    public static final String HOST = "127.0.0.1";

    /**
     * No longer than elsewhere, though a suspended process then loses its places: a stream thread that was fenced and
     * replaced meanwhile is a new member, and waits this long for those that its static predecessor still holds (seen with
     * 100 s). A restart after a kill does not wait for it: the members take their own places back.
     */
    private static final Duration SESSION_TIMEOUT = KafkaSettings.SESSION_TIMEOUT;

    private static final short REPLICATION = 1;

    /** @param kafkaPort and postgresPort: 0 for a free one; so for {@code port} */
    public record Options(WeirConfig config, Path dataDir, int port, int kafkaPort, int postgresPort) {}

    private final Lifecycle parts = new Lifecycle();
    private final EmbeddedKafka kafka;
    private final EmbeddedPostgresServer postgres;
    private final Roles roles;

    /** @throws StartException when something is in the way; whatever had started is closed again */
    public Standalone(Options options) throws InterruptedException {
        try {
            DataDir dir = parts.add("data directory", new DataDir(options.dataDir()));
            Ports.requireFree(HOST, options.port(), "Weir's HTTP server", "--port");
            CompletableFuture<EmbeddedPostgresServer> starting = CompletableFuture.supplyAsync(() -> parts.add(
                    "PostgreSQL",
                    new EmbeddedPostgresServer(dir.postgres(), options.postgresPort(), InstantSource.system())));
            RuntimeException failure = null;
            EmbeddedKafka startedKafka = null;
            try {
                startedKafka = parts.add("Kafka", new EmbeddedKafka(dir.kafka(), options.kafkaPort()));
            } catch (RuntimeException e) {
                failure = e;
            }
            // Waited for in any case: what comes up late must be closed as well.
            postgres = join(starting);
            if (startedKafka == null) {
                throw failure == null ? new StartException("the embedded Kafka did not start") : failure;
            }
            kafka = startedKafka;
            KafkaSettings settings = new KafkaSettings(
                    kafka.bootstrapServers(), "standalone", dir.state(), REPLICATION, SESSION_TIMEOUT, true);
            roles = parts.add(
                    "roles",
                    new Roles(
                            EnumSet.allOf(Role.class),
                            new Roles.Surroundings(
                                    options.config(), settings, postgres.url(), null, HOST, options.port())));
        } catch (RuntimeException | InterruptedException e) {
            parts.close();
            throw e;
        }
    }

    /** {@code http://host:port}. */
    public String url() {
        return "http://" + HOST + ":" + roles.port();
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
