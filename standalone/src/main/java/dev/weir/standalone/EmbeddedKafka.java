package dev.weir.standalone;

import dev.weir.contracts.kafka.Topics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.UnregisterBrokerOptions;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.BrokerIdNotRegisteredException;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;
import org.apache.kafka.server.common.MetadataVersion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One Kafka node, broker and controller, in this process, on the loopback address only. Its data stays in a directory and
 * outlives both a clean end and a kill. Thread-safe; {@link #close()} once.
 */
public final class EmbeddedKafka implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedKafka.class);
    private static final String HOST = "127.0.0.1";
    private static final int NODE_ID = 1;
    private static final String META_PROPERTIES = "meta.properties";
    /** A free port may be taken by somebody else before Kafka binds it. */
    private static final int MOST_START_ATTEMPTS = 3;
    /**
     * The only node is never fenced, though the process may be stopped for long: nobody could take over, and while partitions
     * have no leader, Kafka 4.3 forgets to tell them that a transaction was committed (KAFKA-20734). What it wrote there would
     * never be read, nor anything after it.
     */
    private static final Duration BROKER_SESSION = Duration.ofDays(1);
    /** Of the controller alone, for the step before a start. */
    private static final Duration UNREGISTER_TIMEOUT = Duration.ofSeconds(30);

    private static final Duration BROKER_HEARTBEAT = Duration.ofMillis(500);
    private static final Duration REGISTRATION_TIMEOUT = Duration.ofSeconds(30);

    /** A share group's member hears of its partition with a heartbeat; a start waits for it. */
    private static final Duration SHARE_HEARTBEAT = Duration.ofMillis(500);

    private static final Duration SHORTEST_GROUP_SESSION = Duration.ofSeconds(1);
    private static final Duration LONGEST_GROUP_SESSION = Duration.ofMinutes(5);
    /** A dead producer's transaction hides what comes after it from readers: look for such ones often. */
    private static final Duration ABORT_CHECK = Duration.ofSeconds(1);
    /** Closing is bounded by the caller's patience, not by a request that hangs. */
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);

    private static final int INTERNAL_TOPIC_PARTITIONS = 4;
    /** Above {@link Topics#MAX_MESSAGE_BYTES}, which bounds a record before the batch's own overhead. */
    private static final int MAX_BATCH_BYTES = Topics.MAX_MESSAGE_BYTES + 64 * 1024;

    private static final int CLEANER_DEDUPE_BYTES = 8 * 1024 * 1024;
    /** Index files are mapped in full; a few hundred partitions of the default 10 MiB would be gigabytes. */
    private static final int INDEX_BYTES = 2 * 1024 * 1024;

    private final KafkaRaftServer server;
    private final int port;

    /**
     * Formats the directory when it is new, starts, and returns when the node takes requests.
     *
     * @param dir where its data is kept
     * @param port 0 for a free one, see {@link #bootstrapServers()}
     * @throws StartException when the directory cannot be used or the port is taken
     */
    public EmbeddedKafka(Path dir, int port) {
        Ports.requireFree(HOST, port, "the embedded Kafka", "--kafka-port");
        boolean isNew = format(dir);
        StartException failure = null;
        KafkaRaftServer started = null;
        int chosen = port;
        for (int attempt = 1; started == null && attempt <= MOST_START_ATTEMPTS; attempt++) {
            chosen = port == 0 ? Ports.free() : port;
            try {
                if (!isNew) {
                    unregister(dir);
                }
                started = start(settings(dir, chosen, Ports.free()));
            } catch (Exception | LinkageError e) {
                // Kafka is written in Scala, too, which throws checked exceptions without saying so.
                failure = new StartException("the embedded Kafka did not start in " + dir + ": " + rootMessage(e), e);
                if (port != 0) {
                    break;
                }
            }
        }
        if (started == null) {
            throw failure == null ? new StartException("the embedded Kafka did not start in " + dir) : failure;
        }
        this.server = started;
        this.port = chosen;
    }

    /** {@code host:port} for clients. */
    public String bootstrapServers() {
        return HOST + ":" + port;
    }

    public int port() {
        return port;
    }

    @Override
    public void close() {
        Thread stopper = new Thread(
                () -> {
                    server.shutdown();
                    server.awaitShutdown();
                },
                "kafka-stop");
        stopper.setDaemon(true);
        stopper.start();
        try {
            stopper.join(CLOSE_TIMEOUT.toMillis());
            if (stopper.isAlive()) {
                LOG.warn(
                        "the embedded Kafka did not stop within {}; going on without it, its data is recovered at the next start",
                        CLOSE_TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Takes the node's former life out of the cluster. It is on record as the leader of everything, for as long as its session
     * lasts: a broker that starts now would act as leader, be fenced in the middle of that, and only then be let in.
     */
    private static void unregister(Path dir) throws Exception {
        int port = Ports.free();
        Properties settings = settings(dir, port, port);
        settings.setProperty("process.roles", "controller");
        settings.setProperty("listeners", "CONTROLLER://" + HOST + ":" + port);
        settings.remove("inter.broker.listener.name");
        KafkaRaftServer controller = start(settings);
        try (Admin admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_CONTROLLERS_CONFIG, HOST + ":" + port))) {
            admin.unregisterBroker(
                            NODE_ID, new UnregisterBrokerOptions().timeoutMs((int) UNREGISTER_TIMEOUT.toMillis()))
                    .all()
                    .get();
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof BrokerIdNotRegisteredException)) {
                throw e;
            }
        } finally {
            controller.shutdown();
            controller.awaitShutdown();
        }
    }

    private static KafkaRaftServer start(Properties settings) throws Exception {
        KafkaRaftServer server = new KafkaRaftServer(KafkaConfig.fromProps(settings, false), Time.SYSTEM);
        try {
            server.startup();
            return server;
        } catch (Exception | LinkageError e) {
            try {
                server.shutdown();
            } catch (Exception second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    /** Whether it was new. */
    private static boolean format(Path dir) {
        try {
            if (Files.exists(dir.resolve(META_PROPERTIES))) {
                return false;
            }
            if (!Directories.isEmpty(dir)) {
                throw new StartException("the Kafka data in " + dir + " has lost its " + META_PROPERTIES
                        + "; nothing was changed: restore the directory from a copy, or name another --data-dir");
            }
            // Beside first: after a kill there is either nothing or a whole one.
            Path beside = dir.resolveSibling(dir.getFileName() + ".new");
            Directories.delete(beside);
            Files.createDirectories(beside);
            new Formatter()
                    .setNodeId(NODE_ID)
                    .setClusterId(Uuid.randomUuid().toString())
                    .setReleaseVersion(MetadataVersion.latestProduction())
                    // The only replica is always in sync with itself; there is nothing to elect after a kill.
                    .setFeatureLevel("eligible.leader.replicas.version", (short) 0)
                    .setControllerListenerName("CONTROLLER")
                    .setMetadataLogDirectory(beside.toString())
                    .addDirectory(beside.toString())
                    .setPrintStream(new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8))
                    .run();
            Files.deleteIfExists(dir);
            Files.move(beside, dir, StandardCopyOption.ATOMIC_MOVE);
            return true;
        } catch (StartException e) {
            throw e;
        } catch (IOException e) {
            throw new StartException("the directory " + dir + " for Kafka cannot be used: " + e, e);
        } catch (Exception e) {
            throw new StartException("Kafka's directory " + dir + " could not be formatted: " + rootMessage(e), e);
        }
    }

    private static Properties settings(Path dir, int port, int controllerPort) {
        Properties p = new Properties();
        p.setProperty("process.roles", "broker,controller");
        p.setProperty("node.id", Integer.toString(NODE_ID));
        p.setProperty("controller.quorum.voters", NODE_ID + "@" + HOST + ":" + controllerPort);
        p.setProperty("listeners", "BROKER://" + HOST + ":" + port + ",CONTROLLER://" + HOST + ":" + controllerPort);
        p.setProperty("listener.security.protocol.map", "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT");
        p.setProperty("inter.broker.listener.name", "BROKER");
        p.setProperty("controller.listener.names", "CONTROLLER");
        p.setProperty("log.dirs", dir.toString());
        // The clock of this machine may be set back while records carry Weir's own, which is not.
        p.setProperty("log.message.timestamp.after.max.ms", Long.toString(Long.MAX_VALUE));
        p.setProperty("broker.session.timeout.ms", Long.toString(BROKER_SESSION.toMillis()));
        p.setProperty("broker.heartbeat.interval.ms", Long.toString(BROKER_HEARTBEAT.toMillis()));
        // It would leave the partitions without a leader, too, for the time that stopping takes.
        p.setProperty("controlled.shutdown.enable", "false");
        p.setProperty("initial.broker.registration.timeout.ms", Long.toString(REGISTRATION_TIMEOUT.toMillis()));

        p.setProperty("auto.create.topics.enable", "false");
        p.setProperty("default.replication.factor", "1");
        p.setProperty("min.insync.replicas", "1");
        for (String topic : new String[] {"offsets.topic", "transaction.state.log", "share.coordinator.state.topic"}) {
            p.setProperty(topic + ".replication.factor", "1");
            p.setProperty(topic + ".num.partitions", Integer.toString(INTERNAL_TOPIC_PARTITIONS));
        }
        p.setProperty("transaction.state.log.min.isr", "1");
        p.setProperty("share.coordinator.state.topic.min.isr", "1");
        p.setProperty(
                "transaction.abort.timed.out.transaction.cleanup.interval.ms", Long.toString(ABORT_CHECK.toMillis()));
        p.setProperty("group.initial.rebalance.delay.ms", "0");
        p.setProperty("group.share.min.heartbeat.interval.ms", Long.toString(SHARE_HEARTBEAT.toMillis()));
        p.setProperty("group.share.heartbeat.interval.ms", Long.toString(SHARE_HEARTBEAT.toMillis()));
        p.setProperty("group.share.assignment.interval.ms", "0");
        p.setProperty("group.min.session.timeout.ms", Long.toString(SHORTEST_GROUP_SESSION.toMillis()));
        p.setProperty("group.max.session.timeout.ms", Long.toString(LONGEST_GROUP_SESSION.toMillis()));

        p.setProperty("message.max.bytes", Integer.toString(MAX_BATCH_BYTES));
        p.setProperty("replica.fetch.max.bytes", Integer.toString(MAX_BATCH_BYTES));
        p.setProperty("log.cleaner.dedupe.buffer.size", Integer.toString(CLEANER_DEDUPE_BYTES));
        p.setProperty("log.index.size.max.bytes", Integer.toString(INDEX_BYTES));
        p.setProperty("num.network.threads", "2");
        p.setProperty("num.io.threads", "4");
        p.setProperty("background.threads", "2");
        p.setProperty("num.recovery.threads.per.data.dir", "2");
        return p;
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null && root.getCause() != root) {
            root = root.getCause();
        }
        String message = root.getMessage();
        return message == null ? root.getClass().getSimpleName() : message;
    }
}
