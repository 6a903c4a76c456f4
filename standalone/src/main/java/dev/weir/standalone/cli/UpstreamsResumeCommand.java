package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code weir upstreams resume}. */
@Command(name = "resume", description = "Goes on after a pause.")
final class UpstreamsResumeCommand extends PrintingCommand {
    @Parameters(paramLabel = "NAME", description = "The upstream's name.")
    String name = "";

    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() {
        WeirClient client = options.client();
        UpstreamChange.report(out(), client.await(client.resume(name)), name, "is resumed", options.json);
        return 0;
    }
}
