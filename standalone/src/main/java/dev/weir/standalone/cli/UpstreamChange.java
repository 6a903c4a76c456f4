package dev.weir.standalone.cli;

import dev.weir.standalone.client.WeirClient;
import java.io.PrintWriter;

/** What became of a change of an upstream. */
final class UpstreamChange {
    private UpstreamChange() {}

    /**
     * Prints it when it is in force.
     *
     * @param done what it is then, such as {@code is paused}
     * @throws CliException when it is not, saying why
     */
    static void report(PrintWriter out, WeirClient.Reply reply, String name, String done, boolean json) {
        if (json) {
            out.println(reply.body());
        }
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        long revision = reply.body().path("revision").asLong();
        if (reply.status() == 202) {
            throw new CliException("revision " + revision + " of " + name
                    + " is kept, but the throttle does not go by it yet. It will when it runs; weir upstreams show "
                    + name
                    + " tells the revision in force");
        }
        if (!json) {
            out.println(name + " " + done + ", revision " + revision);
        }
    }
}
