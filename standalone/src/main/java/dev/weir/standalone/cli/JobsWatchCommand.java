package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.client.WeirClient;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code weir jobs watch}. */
@Command(name = "watch", description = "Follows a job's events until it is finished; exits 0 only if it succeeded.")
final class JobsWatchCommand extends PrintingCommand {
    /** Before it connects again. */
    private static final Duration PAUSE = Duration.ofSeconds(1);

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

    private @Nullable String lastEventId;
    private @Nullable JsonNode newest;
    private String shown = "";
    private volatile WeirClient.@Nullable Events open;

    @Override
    public Integer call() throws InterruptedException {
        PrintWriter out = out();
        WeirClient client = options.client();
        long endNs = System.nanoTime() + timeout.toNanos();
        closeIn(timeout);
        boolean reached = false;
        while (true) {
            try (WeirClient.Events events = client.events(id, lastEventId)) {
                String problem = events.problem();
                if (problem != null && events.status() != 503) {
                    throw new CliException(problem);
                }
                reached = true;
                open = events;
                // Once the time is over nobody closes it.
                if (System.nanoTime() - endNs < 0) {
                    follow(events, out);
                }
            } catch (IOException e) {
                if (!reached) {
                    throw new CliException(client.unreachable(e), e);
                }
                // The connection was lost, or the time is over.
            }
            JsonNode job = newest;
            if (job != null && JobText.finished(job)) {
                return end(out, job);
            }
            if (System.nanoTime() - endNs >= 0) {
                throw new CliException("the job " + id + " is not finished after " + timeout + ": it is "
                        + (job == null ? "unknown" : job.path("status").asText()));
            }
            Thread.sleep(PAUSE.toMillis());
        }
    }

    /** A stream has no end of its own while the job waits. */
    private void closeIn(Duration time) {
        Thread watchdog = new Thread(
                () -> {
                    try {
                        Thread.sleep(time.toMillis());
                        WeirClient.Events events = open;
                        if (events != null) {
                            events.close();
                        }
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "watch-timeout");
        watchdog.setDaemon(true);
        watchdog.start();
    }

    private void follow(WeirClient.Events events, PrintWriter out) throws IOException {
        StringBuilder data = new StringBuilder();
        String eventId = lastEventId;
        for (String line = events.line(); line != null; line = events.line()) {
            if (line.startsWith("id:")) {
                eventId = line.substring(3).strip();
            } else if (line.startsWith("data:")) {
                data.append(line.substring(5)).append('\n');
            } else if (line.isEmpty() && !data.isEmpty()) {
                // Only now it is whole.
                show(Json.MAPPER.readTree(data.toString()), out);
                lastEventId = eventId;
                data.setLength(0);
            }
        }
    }

    private void show(JsonNode job, PrintWriter out) {
        newest = job;
        String text = line(job);
        if (!options.json && !text.equals(shown) && !JobText.finished(job)) {
            out.println(text);
            out.flush();
            shown = text;
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
