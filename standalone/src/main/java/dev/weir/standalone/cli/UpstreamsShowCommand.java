package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weir upstreams show}. */
@Command(name = "show", description = "One upstream in full, with its settings in force.")
final class UpstreamsShowCommand implements Callable<Integer> {
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
        WeirClient.Reply reply = client.await(client.upstream(name));
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        if (options.json) {
            spec.commandLine().getOut().println(reply.body());
        } else {
            UpstreamText.print(spec.commandLine().getOut(), reply.body());
        }
        return 0;
    }
}
