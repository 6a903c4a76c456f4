package dev.weir.standalone.cli;

import dev.weir.standalone.Role;
import picocli.CommandLine.Command;

/** {@code weir throttler}. */
@Command(
        name = "throttler",
        description = "Releases jobs at the pace of their upstream.",
        footer = {
            "",
            "Environment: WEIR_BOOTSTRAP_SERVERS, WEIR_CONFIG, WEIR_HOST, WEIR_PORT,",
            "WEIR_STATE_DIR, WEIR_INSTANCE (stable across restarts), WEIR_REPLICATION (3)."
        })
final class ThrottlerCommand extends RoleCommand {
    ThrottlerCommand() {
        super(Role.THROTTLER);
    }
}
