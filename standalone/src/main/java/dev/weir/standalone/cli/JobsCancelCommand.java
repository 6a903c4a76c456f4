package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code weir jobs cancel}. */
@Command(
        name = "cancel",
        description = {
            "Takes a waiting job out, wherever it waits.",
            "Exits 0 only if it is cancelled: not when its call was under way or it had ended, nor while nobody has decided."
        })
final class JobsCancelCommand extends PrintingCommand {
    @Parameters(paramLabel = "ID", description = "The job's id.")
    String id = "";

    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() {
        WeirClient client = options.client();
        WeirClient.Reply reply = client.await(client.cancel(id));
        PrintWriter out = out();
        if (options.json) {
            out.println(reply.body());
        }
        if (reply.status() == 202) {
            throw new CliException(
                    "job " + id + " is not cancelled yet: the throttle has not come to it. The cancellation is"
                            + " kept; weir jobs get " + id + " shows what became of it");
        }
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        if (!options.json) {
            out.println("job " + id + " is cancelled");
        }
        return 0;
    }
}
