package dev.weir.standalone.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weir upstreams}: a client. */
@Command(
        name = "upstreams",
        description = "Shows what a running Weir does with each upstream, and changes it while it runs.",
        subcommands = {
            UpstreamsListCommand.class,
            UpstreamsShowCommand.class,
            UpstreamsSetCommand.class,
            UpstreamsPauseCommand.class,
            UpstreamsResumeCommand.class
        })
final class UpstreamsCommand implements Runnable {
    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public void run() {
        if (spec != null) {
            throw new ParameterException(
                    spec.commandLine(), "a sub-command is missing: list, show, set, pause or resume");
        }
    }
}
