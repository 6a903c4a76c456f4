package dev.weir.standalone.cli;

import dev.weir.contracts.config.KeyHash;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** {@code --api-key}, for every command that asks a running Weir. */
final class ApiKeyOption {
    @Option(
            names = "--api-key",
            paramLabel = "KEY",
            description = {
                "Says who asks, where Weir has clients configured.",
                "Better in WEIR_API_KEY: others on this machine see what is on a command line."
            },
            defaultValue = "${env:WEIR_API_KEY}")
    @Nullable
    String key;

    /** The key; null when there is none. */
    @Nullable
    String get() {
        if (key == null || key.isEmpty()) {
            return null;
        }
        if (!KeyHash.canBeKey(key)) {
            throw new CliException("--api-key or WEIR_API_KEY: expected at most " + KeyHash.LONGEST_KEY
                    + " visible ASCII characters without spaces");
        }
        return key;
    }
}
