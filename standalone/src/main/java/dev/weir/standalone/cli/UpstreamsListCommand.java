package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code weir upstreams list}. */
@Command(name = "list", description = "Every upstream: what it is doing, and what sets its pace right now.")
final class UpstreamsListCommand implements Callable<Integer> {
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
        WeirClient.Reply reply = client.await(client.upstreams());
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        if (options.json) {
            spec.commandLine().getOut().println(reply.body());
        } else {
            UpstreamText.table(spec.commandLine().getOut(), reply.body().path("upstreams"));
        }
        return 0;
    }
}
