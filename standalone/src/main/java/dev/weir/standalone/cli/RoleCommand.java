package dev.weir.standalone.cli;

import dev.weir.contracts.config.Durations;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.dispatcher.Dispatcher;
import dev.weir.standalone.Lifecycle;
import dev.weir.standalone.Role;
import dev.weir.standalone.Roles;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** One role in this process, against a Kafka and a PostgreSQL elsewhere; what it needs comes from the environment. */
abstract class RoleCommand implements Callable<Integer> {
    private static final short DEFAULT_REPLICATION = 3;

    private final Role role;

    @Mixin
    ConfigOption config = new ConfigOption();

    @Option(
            names = "--port",
            paramLabel = "PORT",
            converter = PortConverter.class,
            description = "Of HTTP (or WEIR_PORT; ${DEFAULT-VALUE} unless set).",
            defaultValue = "${env:WEIR_PORT:-8080}")
    int port;

    RoleCommand(Role role) {
        this.role = role;
    }

    @Override
    public Integer call() throws Exception {
        // Not a constant: the clients load this class too, and start faster without a logging system.
        Logger log = LoggerFactory.getLogger(RoleCommand.class);
        Map<String, String> env = System.getenv();
        String name = role.name().toLowerCase(Locale.ROOT);
        String bootstrapServers = env.get("WEIR_BOOTSTRAP_SERVERS");
        if (bootstrapServers == null) {
            throw new CliException("it needs WEIR_BOOTSTRAP_SERVERS: where Kafka is, as host:port[,host:port]");
        }
        // Two of a role on one host differ by their ports; a member's name must be its own, and the same at each start.
        String instance =
                env.containsKey("WEIR_INSTANCE") ? env.get("WEIR_INSTANCE") : hostName() + "-" + name + "-" + port;
        Path stateDir =
                Path.of(env.getOrDefault("WEIR_STATE_DIR", "weir-state")).resolve(instance);
        int replication = number(env, "WEIR_REPLICATION", DEFAULT_REPLICATION, 1, Short.MAX_VALUE);
        KafkaSettings kafka = new KafkaSettings(
                bootstrapServers, instance, stateDir, (short) replication, KafkaSettings.SESSION_TIMEOUT);
        String statusUrl = env.get("WEIR_STATUS_URL");
        String host = env.getOrDefault("WEIR_HOST", "127.0.0.1");
        Roles.Surroundings where = new Roles.Surroundings(
                config.load(env),
                kafka,
                env.get("WEIR_DATABASE_URL"),
                statusUrl == null ? null : uri(statusUrl),
                host,
                port,
                advertised(env, host, port),
                drain(env.get("WEIR_DRAIN")),
                Shutdown.leave(env));
        Lifecycle parts = new Lifecycle();
        Shutdown.closeAtExit("the " + name + " role", parts);
        Roles roles = new Roles(EnumSet.of(role), where, parts);
        log.info("the {} role runs as {}, HTTP on port {}", name, instance, roles.port());
        Shutdown.awaitSignal();
        return 0;
    }

    private static int number(Map<String, String> env, String key, int otherwise, int least, int most) {
        String text = env.get(key);
        if (text == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(text.strip());
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new CliException(key + ": expected a number, but it is " + text, e);
        }
        throw new CliException(key + ": expected " + least + " to " + most + ", but it is " + text);
    }

    /** Who listens on all addresses is reached by the machine's name. */
    private static String advertised(Map<String, String> env, String host, int port) {
        String text = env.get("WEIR_ADVERTISED");
        if (text == null) {
            return (host.equals("0.0.0.0") || host.equals("::") ? hostName() : host) + ":" + port;
        }
        if (!text.matches("[^\\s/:]+:[0-9]{1,5}")) {
            throw new CliException("WEIR_ADVERTISED: expected host:port, but it is " + text);
        }
        return text;
    }

    private static Duration drain(@Nullable String text) {
        if (text == null) {
            return Dispatcher.DRAIN;
        }
        Duration drain = Durations.parse(text);
        if (drain == null || drain.isNegative() || drain.compareTo(Dispatcher.LONGEST_DRAIN) > 0) {
            throw new CliException("WEIR_DRAIN: expected a duration such as 25s, of up to "
                    + Durations.text(Dispatcher.LONGEST_DRAIN) + ", but it is " + text);
        }
        return drain;
    }

    private static URI uri(String text) {
        try {
            URI uri = URI.create(text);
            if ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme())) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw new CliException("WEIR_STATUS_URL: expected http(s)://host:port, but it is " + text, e);
        }
        throw new CliException("WEIR_STATUS_URL: expected http(s)://host:port, but it is " + text);
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            throw new CliException(
                    "this machine does not know its own name (" + e.getMessage()
                            + "); say in WEIR_INSTANCE what this process is called, the same at each start",
                    e);
        }
    }
}
