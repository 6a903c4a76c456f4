package dev.weir.standalone.cli;

import dev.weir.standalone.Role;
import picocli.CommandLine.Command;

/** {@code weir ingress}. */
@Command(
        name = "ingress",
        description = "Takes jobs over HTTP into Kafka.",
        footer = {
            "",
            "Environment: WEIR_BOOTSTRAP_SERVERS, WEIR_STATUS_URL, WEIR_CONFIG, WEIR_HOST, WEIR_PORT,",
            "WEIR_STATE_DIR, WEIR_INSTANCE (stable across restarts), WEIR_REPLICATION (3)."
        })
final class IngressCommand extends RoleCommand {
    IngressCommand() {
        super(Role.INGRESS);
    }
}
