package dev.weir.standalone.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code weir jobs}: a client. */
@Command(
        name = "jobs",
        description = "Submits jobs to a running Weir, looks at them, cancels them.",
        subcommands = {
            JobsSubmitCommand.class,
            JobsGetCommand.class,
            JobsListCommand.class,
            JobsWatchCommand.class,
            JobsCancelCommand.class
        })
final class JobsCommand implements Runnable {
    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public void run() {
        if (spec != null) {
            throw new ParameterException(
                    spec.commandLine(), "a sub-command is missing: submit, get, list, watch or cancel");
        }
    }
}
