package dev.weir.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.standalone.cli.PrintingCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How many jobs the ingress accepts, with its broker on the same cores, beside a bare Javalin that only echoes. Each runs in
 * a process of its own, and they are measured in turn; the load is wrk's.
 */
@Command(
        name = "intake",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Accepted jobs a second and their latency, beside a bare echo. Needs wrk (apt-get install wrk).")
final class IntakeBenchmark extends PrintingCommand {
    private static final double GOAL = 0.5;
    private static final String ECHO = "echo";
    private static final String WEIR = "weir";
    /** Before the requests at a fixed rate that count: their sender is new, too. */
    private static final int PACED_WARM_UP_SECONDS = 5;

    /** For a server to end, and to delete what it kept; then it is killed. */
    private static final Duration END_TIMEOUT = Duration.ofSeconds(30);

    /** Longer than a submission may take, and than a cold start does. */
    private static final String WRK_TIMEOUT = "20s";

    private static final Pattern LINE = Pattern.compile("rps=([0-9.]+) p50=([0-9.]+) p99=([0-9.]+) bad=([0-9]+)");

    @Option(names = "--seconds", description = "Of each run.")
    int seconds = 10;

    @Option(names = "--rounds", description = "That count.")
    int rounds = 3;

    @Option(
            names = "--warm-up",
            description =
                    "Seconds before them; on two cores Java's compiler takes a third of the time for about so long.")
    int warmUp = 45;

    @Option(names = "--connections", description = "That stay open.")
    int connections = 64;

    @Option(names = "--body", description = "Bytes of each request's body.")
    int bodyBytes = 1024;

    @Option(names = "--paced", description = "Requests a second of the run at a fixed rate.")
    int paced = 5000;

    @Option(names = "--no-echo", description = "Weir alone, without the bare echo beside it.")
    boolean noEcho;

    @Option(
            names = "--beside",
            paramLabel = "NAME=PORT",
            description =
                    "Something else that takes the same requests, and runs at that port already; may be repeated.")
    Map<String, Integer> beside = Map.of();

    @Option(
            names = "--java",
            description = "An option for the measured processes' Java, as ./weir ingress has them; may be repeated.")
    List<String> javaOptions = List.of("-XX:+UseParallelGC");

    private record Rate(double perSecond, double p50Ms, double p99Ms) {}

    @Override
    public Integer call() throws Exception {
        PrintWriter out = out();
        List<Process> own = new ArrayList<>();
        try {
            Map<String, Integer> ports = new LinkedHashMap<>();
            for (String kind : noEcho ? List.of(WEIR) : List.of(ECHO, WEIR)) {
                Process server = start(kind);
                own.add(server);
                ports.put(kind, port(server));
            }
            ports.putAll(beside);
            Map<String, List<Rate>> rates = measure(ports, out);
            for (Map.Entry<String, Integer> each : ports.entrySet()) {
                pace(each.getKey(), each.getValue(), out);
            }
            if (!noEcho) {
                List<Rate> weir = rates.getOrDefault(WEIR, List.of());
                List<Rate> echo = rates.getOrDefault(ECHO, List.of());
                double[] ratios = IntStream.range(0, rounds)
                        .mapToDouble(round ->
                                weir.get(round).perSecond() / echo.get(round).perSecond())
                        .sorted()
                        .toArray();
                out.printf(
                        Locale.ROOT,
                        "weir accepts %.2f of the echo's rate, in the middle of the rounds (%.2f to %.2f); goal: %s%n",
                        ratios[rounds / 2],
                        ratios[0],
                        ratios[rounds - 1],
                        GOAL);
            }
            out.flush();
            return 0;
        } finally {
            // Not forcibly: the broker deletes its gigabytes.
            own.forEach(Process::destroy);
            for (Process server : own) {
                if (!server.waitFor(END_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
                    server.destroyForcibly().waitFor();
                }
            }
        }
    }

    /** In turn, for the machine is not the same from one minute to the next. */
    private Map<String, List<Rate>> measure(Map<String, Integer> ports, PrintWriter out)
            throws IOException, InterruptedException {
        out.printf("%-8s%-8s%12s%10s%10s%n", "", "", "a second", "p50 ms", "p99 ms");
        Map<String, List<Rate>> rates = new HashMap<>();
        for (int round = 0; round <= rounds; round++) {
            for (Map.Entry<String, Integer> each : ports.entrySet()) {
                Rate rate = wrk(each.getValue(), round == 0 ? warmUp : seconds);
                out.printf(
                        Locale.ROOT,
                        "%-8s%-8s%12.0f%10.2f%10.2f%n",
                        each.getKey(),
                        round == 0 ? "warm-up" : Integer.toString(round),
                        rate.perSecond(),
                        rate.p50Ms(),
                        rate.p99Ms());
                out.flush();
                if (round > 0) {
                    rates.computeIfAbsent(each.getKey(), kind -> new ArrayList<>())
                            .add(rate);
                }
            }
        }
        return rates;
    }

    private void pace(String kind, int port, PrintWriter out) throws IOException, InterruptedException {
        PacedLoad.Result result = new PacedLoad(port, body(), connections, paced, PACED_WARM_UP_SECONDS, seconds).run();
        out.printf(
                Locale.ROOT,
                "%-8s%d/s%13s%10.2f%10.2f   p99.9 %.2f, longest %.2f, not accepted %d%n",
                kind,
                paced,
                "",
                result.ms(0.5),
                result.ms(0.99),
                result.ms(0.999),
                result.ms(1),
                result.refused());
        out.flush();
    }

    private Process start(String kind) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Xmx1g");
        command.addAll(javaOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), IntakeServer.class.getName(), kind));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static int port(Process server) throws IOException {
        BufferedReader lines = server.inputReader(UTF_8);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith(IntakeServer.READY)) {
                return Integer.parseInt(line.substring(IntakeServer.READY.length()));
            }
        }
        throw new IllegalStateException("the server ended before it was ready");
    }

    private String body() {
        String begin =
                "{\"upstream\":\"" + IntakeServer.UPSTREAM + "\",\"request\":{\"path\":\"/v1/x\",\"body\":{\"text\":\"";
        String end = "\"}}}";
        return begin + "x".repeat(Math.max(0, bodyBytes - begin.length() - end.length())) + end;
    }

    private Rate wrk(int port, int runSeconds) throws IOException, InterruptedException {
        Path script = Files.createTempFile("weir", ".lua");
        try {
            Files.writeString(script, """
                    wrk.method = "POST"
                    wrk.headers["Content-Type"] = "application/json"
                    wrk.body = '%s'
                    done = function(s, l, r)
                      io.write(string.format("rps=%%.0f p50=%%.2f p99=%%.2f bad=%%d\\n", s.requests / (s.duration / 1e6),
                        l:percentile(50) / 1000, l:percentile(99) / 1000,
                        s.errors.status + s.errors.connect + s.errors.read + s.errors.write + s.errors.timeout))
                    end
                    """.formatted(body()));
            Process wrk = new ProcessBuilder(
                            "wrk",
                            "-t2",
                            "-c" + connections,
                            "-d" + runSeconds + "s",
                            "--timeout",
                            WRK_TIMEOUT,
                            "-s",
                            script.toString(),
                            "http://127.0.0.1:" + port + "/v1/jobs")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(wrk.getInputStream().readAllBytes(), UTF_8);
            wrk.waitFor();
            Matcher found = LINE.matcher(said);
            if (!found.find()) {
                throw new IllegalStateException("wrk said: " + said);
            }
            if (!found.group(4).equals("0")) {
                throw new IllegalStateException(found.group(4) + " requests were not accepted; wrk said: " + said);
            }
            return new Rate(
                    Double.parseDouble(found.group(1)),
                    Double.parseDouble(found.group(2)),
                    Double.parseDouble(found.group(3)));
        } finally {
            Files.deleteIfExists(script);
        }
    }
}
