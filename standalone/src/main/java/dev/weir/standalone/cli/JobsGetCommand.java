package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code weir jobs get}. */
@Command(name = "get", description = "Where a job stands, and its result once it is finished.")
final class JobsGetCommand extends PrintingCommand {
    @Parameters(paramLabel = "ID", description = "The job's id.")
    String id = "";

    @Mixin
    ClientOptions options = new ClientOptions();

    @Override
    public Integer call() {
        WeirClient client = options.client();
        WeirClient.Reply reply = client.await(client.job(id));
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        PrintWriter out = out();
        if (options.json) {
            out.println(reply.body());
        } else {
            JobText.print(out, reply.body());
        }
        return 0;
    }
}
