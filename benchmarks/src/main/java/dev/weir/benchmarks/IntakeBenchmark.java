package dev.weir.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.weir.standalone.cli.PrintingCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How many jobs the ingress accepts, with its broker on the same cores, beside a bare Javalin that only echoes. Each runs in
 * a process of its own, one after the other; the load is wrk's.
 */
@Command(
        name = "intake",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "Accepted jobs a second and their latency, beside a bare echo. Needs wrk (apt-get install wrk).")
final class IntakeBenchmark extends PrintingCommand {
    private static final double GOAL = 0.5;
    /** Before the requests at a fixed rate that count: their sender is new, too. */
    private static final int PACED_WARM_UP_SECONDS = 5;

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

    @Option(names = "--java", description = "An option for the measured processes' Java; may be repeated.")
    List<String> javaOptions = List.of();

    private record Rate(double perSecond, double p50Ms, double p99Ms) {}

    @Override
    public Integer call() throws Exception {
        PrintWriter out = out();
        out.printf("%-8s%-8s%12s%10s%10s%n", "", "", "a second", "p50 ms", "p99 ms");
        Rate echo = noEcho ? null : measureOwn("echo", out);
        for (Map.Entry<String, Integer> other : beside.entrySet()) {
            measure(other.getKey(), other.getValue(), out);
        }
        Rate weir = measureOwn("weir", out);
        if (echo == null) {
            return 0;
        }
        out.printf(
                Locale.ROOT,
                "weir accepts %.2f of the echo's rate; goal: %s%n",
                weir.perSecond() / echo.perSecond(),
                GOAL);
        out.flush();
        return 0;
    }

    private Rate measureOwn(String kind, PrintWriter out) throws IOException, InterruptedException {
        Process server = start(kind);
        try {
            return measure(kind, port(server), out);
        } finally {
            server.destroyForcibly().waitFor();
        }
    }

    private Rate measure(String kind, int port, PrintWriter out) throws IOException, InterruptedException {
        List<Rate> rates = new ArrayList<>();
        for (int round = 0; round <= rounds; round++) {
            Rate rate = wrk(port, round == 0 ? warmUp : seconds);
            out.printf(
                    Locale.ROOT,
                    "%-8s%-8s%12.0f%10.2f%10.2f%n",
                    kind,
                    round == 0 ? "warm-up" : Integer.toString(round),
                    rate.perSecond(),
                    rate.p50Ms(),
                    rate.p99Ms());
            out.flush();
            if (round > 0) {
                rates.add(rate);
            }
        }
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
        rates.sort((a, b) -> Double.compare(a.perSecond(), b.perSecond()));
        return rates.get(rates.size() / 2);
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
