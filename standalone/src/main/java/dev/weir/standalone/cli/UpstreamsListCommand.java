package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code weir upstreams list}. */
@Command(name = "list", description = "Every upstream: what it is doing, and what sets its pace right now.")
final class UpstreamsListCommand extends PrintingCommand {
    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() {
        WeirClient client = options.client();
        WeirClient.Reply reply = client.await(client.upstreams());
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        if (options.json) {
            out().println(reply.body());
        } else {
            UpstreamText.table(out(), reply.body().path("upstreams"));
        }
        return 0;
    }
}
