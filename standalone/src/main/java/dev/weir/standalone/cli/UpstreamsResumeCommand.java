package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weir upstreams resume}. */
@Command(name = "resume", description = "Goes on after a pause.")
final class UpstreamsResumeCommand implements Callable<Integer> {
    @Parameters(paramLabel = "NAME", description = "The upstream's name.")
    String name = "";

    @Mixin
    ClientOptions options = new ClientOptions();

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("not run by the command line");
        }
        WeirClient client = options.client();
        UpstreamChange.report(
                spec.commandLine().getOut(), client.await(client.resume(name)), name, "is resumed", options.json);
        return 0;
    }
}
