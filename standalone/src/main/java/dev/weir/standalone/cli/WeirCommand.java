package dev.weir.standalone.cli;

import dev.weir.contracts.config.ConfigException;
import dev.weir.standalone.StartException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** {@code weir}: everything is in its sub-commands. Errors are one readable line, a stack trace only with {@code --debug}. */
@Command(
        name = "weir",
        description = "A durable outlet to rate-limited APIs.",
        versionProvider = WeirCommand.Version.class,
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        sortOptions = false,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {"0:done", "1:what was asked for did not happen", "2:wrong usage"},
        subcommands = {
            DemoCommand.class,
            StandaloneCommand.class,
            IngressCommand.class,
            ThrottlerCommand.class,
            DispatcherCommand.class,
            StatusCommand.class,
            FakeUpstreamCommand.class,
            JobsCommand.class,
            UpstreamsCommand.class,
            PlanCommand.class
        })
public final class WeirCommand implements Runnable {
    static final int FAILED = 1;

    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show the stack trace of an error.")
    boolean debug;

    @Spec
    @Nullable
    CommandSpec spec;

    /** Runs one command line. @return its exit code */
    public static int execute(String... args) {
        PrintWriter out = new PrintWriter(System.out, true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
        WeirCommand weir = new WeirCommand();
        CommandLine line = new CommandLine(weir)
                .setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((e, given) -> wrongUsage(e, weir.debug))
                .setExecutionExceptionHandler((e, command, result) -> failed(e, command, weir.debug));
        int code = line.execute(args);
        out.flush();
        err.flush();
        return code;
    }

    @Override
    public void run() {
        if (spec != null) {
            throw new ParameterException(spec.commandLine(), "a sub-command is missing");
        }
    }

    private static int wrongUsage(ParameterException e, boolean debug) {
        CommandLine command = e.getCommandLine();
        PrintWriter err = command.getErr();
        err.println(command.getCommandSpec().qualifiedName() + ": " + oneLine(e.getMessage()) + "; see "
                + command.getCommandSpec().qualifiedName() + " --help");
        if (debug) {
            e.printStackTrace(err);
        }
        return command.getCommandSpec().exitCodeOnInvalidInput();
    }

    private static int failed(Exception e, CommandLine command, boolean debug) {
        PrintWriter err = command.getErr();
        String name = command.getCommandSpec().qualifiedName();
        if (e instanceof CliException || e instanceof StartException || e instanceof ConfigException) {
            // A configuration may have several problems; each is a line of its own.
            String.valueOf(e.getMessage()).lines().forEach(line -> err.println(name + ": " + line));
        } else {
            err.println(name + ": " + oneLine(e.toString()) + (debug ? "" : " (--debug shows where)"));
        }
        if (debug) {
            e.printStackTrace(err);
        }
        return FAILED;
    }

    private static String oneLine(@Nullable String message) {
        return String.valueOf(message).strip().replaceAll("\\s*\\R\\s*", "; ");
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = WeirCommand.class.getPackage().getImplementationVersion();
            return new String[] {
                "weir " + (version == null ? "(not from a jar)" : version) + ", Java "
                        + Runtime.version().feature()
            };
        }
    }
}
