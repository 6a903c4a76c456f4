package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.standalone.client.WeirClient;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code weir jobs watch}. */
@Command(name = "watch", description = "Follows a job until it is finished; exits 0 only if it succeeded.")
final class JobsWatchCommand implements Callable<Integer> {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(2);

    @Parameters(paramLabel = "ID", description = "The job's id.")
    String id = "";

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            description = "Gives up after so long (${DEFAULT-VALUE}).",
            defaultValue = "1h")
    Duration timeout = Duration.ofHours(1);

    @Mixin
    ClientOptions options = new ClientOptions();

    @Spec
    @Nullable
    CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        if (spec == null) {
            throw new IllegalStateException("not run by the command line");
        }
        PrintWriter out = spec.commandLine().getOut();
        WeirClient client = options.client();
        long startedNs = System.nanoTime();
        Duration pause = FIRST_PAUSE;
        String shown = "";
        while (true) {
            WeirClient.Reply reply = client.await(client.job(id));
            boolean later = reply.status() == 503;
            if (!reply.ok() && !later) {
                throw new CliException(reply.problem());
            }
            JsonNode job = reply.body();
            if (!later) {
                String line = line(job);
                if (!options.json && !line.equals(shown) && !JobText.finished(job)) {
                    out.println(line);
                    shown = line;
                }
                if (JobText.settled(job)) {
                    return end(out, job);
                }
            }
            if (System.nanoTime() - startedNs > timeout.toNanos()) {
                throw new CliException("the job " + id + " is not finished after " + timeout + ": it is "
                        + job.path("status").asText("unknown"));
            }
            Thread.sleep(pause.toMillis());
            Duration longer = pause.multipliedBy(3).dividedBy(2);
            pause = longer.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : longer;
        }
    }

    private int end(PrintWriter out, JsonNode job) {
        if (options.json) {
            out.println(job);
        } else {
            JobText.print(out, job);
        }
        return job.path("status").asText().equals("succeeded") ? 0 : WeirCommand.FAILED;
    }

    private static String line(JsonNode job) {
        StringBuilder line = new StringBuilder(job.path("status").asText());
        if (job.path("position").isNumber()) {
            line.append(", place ").append(job.path("position").asLong());
        }
        if (job.path("eta").isTextual()) {
            line.append(", called at about ").append(job.path("eta").asText());
        }
        return line.toString();
    }
}
