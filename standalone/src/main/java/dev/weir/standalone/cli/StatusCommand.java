package dev.weir.standalone.cli;

import dev.weir.standalone.Role;
import picocli.CommandLine.Command;

/** {@code weir status}. */
@Command(
        name = "status",
        description = "Answers where each job and each upstream stands.",
        footer = {
            "",
            "Environment: WEIR_BOOTSTRAP_SERVERS, WEIR_DATABASE_URL, WEIR_CONFIG, WEIR_HOST, WEIR_PORT,",
            "WEIR_STATE_DIR, WEIR_INSTANCE (stable across restarts), WEIR_REPLICATION (3), WEIR_ADVERTISED (host:port at",
            "which the other instances reach this one; WEIR_HOST:WEIR_PORT unless set)."
        })
final class StatusCommand extends RoleCommand {
    StatusCommand() {
        super(Role.STATUS);
    }
}
