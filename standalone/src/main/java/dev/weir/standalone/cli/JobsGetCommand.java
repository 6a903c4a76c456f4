package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weir jobs get}. */
@Command(name = "get", description = "Where a job stands, and its result once it is finished.")
final class JobsGetCommand implements Callable<Integer> {
    @Parameters(paramLabel = "ID", description = "The job's id.")
    String id = "";

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
        WeirClient.Reply reply = client.await(client.job(id));
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        PrintWriter out = spec.commandLine().getOut();
        if (options.json) {
            out.println(reply.body());
        } else {
            JobText.print(out, reply.body());
        }
        return 0;
    }
}
