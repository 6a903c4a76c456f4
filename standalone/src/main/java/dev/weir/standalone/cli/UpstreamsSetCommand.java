package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.standalone.client.WeirClient;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;

/** {@code weir upstreams set}. */
@Command(
        name = "set",
        description = {
            "Changes an upstream's settings while it runs. What is not named stays as it is.",
            "A change wins over the configuration file until the file's own entry changes; what is out already stands.",
            "Exits 0 once the throttle goes by it."
        },
        sortOptions = false)
final class UpstreamsSetCommand extends PrintingCommand {
    @Parameters(paramLabel = "NAME", description = "The upstream's name.")
    String name = "";

    @Mixin
    SettingsOptions settings = new SettingsOptions();

    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() {
        ObjectNode patch = settings.patch();
        if (patch.isEmpty()) {
            throw new ParameterException(commandLine(), "nothing to change: name at least one setting");
        }
        WeirClient client = options.client();
        WeirClient.Reply reply = client.await(client.change(name, patch));
        PrintWriter out = out();
        UpstreamChange.report(out, reply, name, "goes by its new settings", options.json);
        if (!options.json) {
            UpstreamText.settings(out, reply.body().path("settings"));
        }
        return 0;
    }
}
