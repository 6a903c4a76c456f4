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

/** {@code weir jobs cancel}. */
@Command(
        name = "cancel",
        description = {
            "Takes a waiting job out, wherever it waits.",
            "Exits 0 only if it is cancelled: not when its call was under way or it had ended, nor while nobody has decided."
        })
final class JobsCancelCommand implements Callable<Integer> {
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
        WeirClient.Reply reply = client.await(client.cancel(id));
        PrintWriter out = spec.commandLine().getOut();
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
