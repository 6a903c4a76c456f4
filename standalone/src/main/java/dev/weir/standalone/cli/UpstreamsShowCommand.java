package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code weir upstreams show}. */
@Command(name = "show", description = "One upstream in full, with its settings in force.")
final class UpstreamsShowCommand extends PrintingCommand {
    @Parameters(paramLabel = "NAME", description = "The upstream's name.")
    String name = "";

    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() {
        WeirClient client = options.client();
        WeirClient.Reply reply = client.await(client.upstream(name));
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        if (options.json) {
            out().println(reply.body());
        } else {
            UpstreamText.print(out(), reply.body());
        }
        return 0;
    }
}
