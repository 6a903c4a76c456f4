package dev.weir.standalone.cli;

import dev.weir.contracts.config.Limit;
import dev.weir.standalone.Lifecycle;
import dev.weir.standalone.fake.FakeUpstream;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code weir fake-upstream}: a rate-limited API to try things against. */
@Command(
        name = "fake-upstream",
        description = {
            "A rate-limited API that enforces its limits by its own clock.",
            "Any path is a call; GET /stats tells what it saw."
        })
final class FakeUpstreamCommand extends PrintingCommand {
    /** The fake keeps this many arrivals for each limit. */
    private static final long MOST_PERMITS = 1_000_000;

    @Option(
            names = "--port",
            required = true,
            paramLabel = "PORT",
            converter = PortConverter.class,
            description = "Where it listens; 0 for a free one.")
    int port;

    @Option(names = "--host", paramLabel = "HOST", description = "Where it listens (${DEFAULT-VALUE}).")
    String host = "127.0.0.1";

    @Option(
            names = "--limit",
            paramLabel = "N/WINDOW",
            converter = LimitConverter.class,
            description = "Such as 1000/1m; several hold at once. 1000/1m when none is given.")
    List<Limit> limits = List.of();

    @Option(names = "--no-limit", description = "Only count.")
    boolean unlimited;

    @Option(
            names = "--latency",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            description = "From a call's arrival to its answer (${DEFAULT-VALUE}).",
            defaultValue = "20ms")
    Duration latency = Duration.ofMillis(20);

    @Override
    public Integer call() throws Exception {
        if (unlimited && !limits.isEmpty()) {
            throw new ParameterException(commandLine(), "--limit and --no-limit exclude each other");
        }
        if (limits.stream().anyMatch(limit -> limit.permits() > MOST_PERMITS)) {
            throw new ParameterException(commandLine(), "--limit takes up to " + MOST_PERMITS + " permits");
        }
        List<Limit> all =
                unlimited ? List.of() : limits.isEmpty() ? List.of(new Limit(1000, Duration.ofMinutes(1))) : limits;
        Lifecycle parts = new Lifecycle();
        Shutdown.closeAtExit("the fake upstream", parts);
        FakeUpstream upstream = parts.add("fake upstream", new FakeUpstream(host, port, all, latency));
        commandLine()
                .getOut()
                .printf(
                        "The fake upstream is ready on http://%s:%d (%s; GET %s tells what it saw)%n",
                        host,
                        upstream.port(),
                        all.isEmpty()
                                ? "no limit"
                                : all.stream()
                                        .map(limit -> limit.permits() + " per " + limit.per())
                                        .collect(Collectors.joining(", ")),
                        FakeUpstream.STATS_PATH);
        Shutdown.awaitSignal();
        return 0;
    }
}
