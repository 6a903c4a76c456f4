package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weir upstreams pause}. */
@Command(name = "pause", description = "Nothing more is called, until resume; jobs are taken and wait.")
final class UpstreamsPauseCommand implements Callable<Integer> {
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
                spec.commandLine().getOut(), client.await(client.pause(name)), name, "is paused", options.json);
        return 0;
    }
}
