package dev.weir.standalone.cli;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** A command that prints, to wherever the command line that runs it does. */
public abstract class PrintingCommand implements Callable<Integer> {
    @Spec
    private @Nullable CommandSpec spec;

    /** What runs this command: an error in its options is told of that. */
    protected final CommandLine commandLine() {
        if (spec == null) {
            throw new IllegalStateException("not run by the command line");
        }
        return spec.commandLine();
    }

    protected final PrintWriter out() {
        return commandLine().getOut();
    }
}
