package dev.weir.standalone.cli;

import dev.weir.contracts.config.ConfigLoader;
import dev.weir.contracts.config.WeirConfig;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --config}, for every command that needs the configuration. */
final class ConfigOption {
    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "The configuration, a YAML file (or WEIR_CONFIG).",
            defaultValue = "${env:WEIR_CONFIG}")
    @Nullable
    Path file;

    WeirConfig load(Map<String, String> env) {
        if (file == null || file.toString().isEmpty()) {
            throw new CliException("it needs a configuration: --config FILE, or WEIR_CONFIG");
        }
        return ConfigLoader.load(file, env);
    }
}
