package dev.weir.standalone.cli;

import dev.weir.standalone.Role;
import picocli.CommandLine.Command;

/** {@code weir dispatcher}. */
@Command(
        name = "dispatcher",
        description = "Calls the upstreams and stores their answers.",
        footer = {
            "",
            "Environment: WEIR_BOOTSTRAP_SERVERS, WEIR_DATABASE_URL, WEIR_CONFIG, WEIR_HOST, WEIR_PORT,",
            "WEIR_STATE_DIR, WEIR_INSTANCE (stable across restarts), WEIR_REPLICATION (3)."
        })
final class DispatcherCommand extends RoleCommand {
    DispatcherCommand() {
        super(Role.DISPATCHER);
    }
}
