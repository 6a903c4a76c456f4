package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code weir upstreams pause}. */
@Command(name = "pause", description = "Nothing more is called, until resume; jobs are taken and wait.")
final class UpstreamsPauseCommand extends PrintingCommand {
    @Parameters(paramLabel = "NAME", description = "The upstream's name.")
    String name = "";

    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() {
        WeirClient client = options.client();
        UpstreamChange.report(out(), client.await(client.pause(name)), name, "is paused", options.json);
        return 0;
    }
}
