package dev.weir.standalone.cli;

import dev.weir.contracts.config.WeirConfig;
import dev.weir.standalone.Lifecycle;
import dev.weir.standalone.Standalone;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code weir standalone}: everything in one process. */
@Command(
        name = "standalone",
        description = "Everything in one process, on one HTTP port; what it keeps is in one directory.")
final class StandaloneCommand implements Callable<Integer> {
    @Mixin
    ConfigOption config = new ConfigOption();

    @Option(
            names = "--port",
            paramLabel = "PORT",
            converter = PortConverter.class,
            description = "Of HTTP (or WEIR_PORT; ${DEFAULT-VALUE} unless set; 0 for a free one).",
            defaultValue = "${env:WEIR_PORT:-8080}")
    int port;

    @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            description = "That HTTP listens on (or WEIR_HOST; ${DEFAULT-VALUE} unless set; 0.0.0.0 for all).",
            defaultValue = "${env:WEIR_HOST:-127.0.0.1}")
    String host = Standalone.HOST;

    @Option(
            names = "--data-dir",
            paramLabel = "DIR",
            description = "Holds everything that is kept (${DEFAULT-VALUE} unless set).",
            defaultValue = "weir-data")
    Path dataDir = Path.of("weir-data");

    @Option(
            names = "--kafka-port",
            paramLabel = "PORT",
            converter = PortConverter.class,
            description = "Of the embedded Kafka (a free one unless set).")
    int kafkaPort;

    @Option(
            names = "--postgres-port",
            paramLabel = "PORT",
            converter = PortConverter.class,
            description = "Of the embedded PostgreSQL (a free one unless set).")
    int postgresPort;

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws Exception {
        WeirConfig loaded = config.load(System.getenv());
        Standalone.Options options = new Standalone.Options(
                loaded, dataDir, host, port, kafkaPort, postgresPort, Shutdown.leave(System.getenv()));
        Lifecycle parts = new Lifecycle();
        Shutdown.closeAtExit("Weir", parts);
        Standalone standalone = new Standalone(options, parts);
        if (spec != null) {
            spec.commandLine()
                    .getOut()
                    .printf(
                            "Weir is ready on %s (Kafka on %s, PostgreSQL on port %d, data in %s); %s%n",
                            standalone.url(),
                            standalone.bootstrapServers(),
                            standalone.postgresPort(),
                            dataDir.toAbsolutePath().normalize(),
                            loaded.clients().isEmpty()
                                    ? "no clients are configured, so this machine's callers need no key"
                                    : loaded.clients().list().size()
                                            + " clients are configured; every call needs a key");
        }
        Shutdown.awaitSignal();
        return 0;
    }
}
