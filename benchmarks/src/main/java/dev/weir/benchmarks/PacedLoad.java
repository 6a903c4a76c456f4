package dev.weir.benchmarks;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

/**
 * Requests at a fixed rate over connections that stay open. A latency is counted from when the request was due, not from when
 * it could be sent: a server that stalls is charged for all that wait meanwhile.
 */
final class PacedLoad {
    private static final int MOST_LINE = 8 * 1024;
    private static final String CONTENT_LENGTH = "content-length:";

    private final int port;
    private final IntFunction<byte[]> requests;
    private final int expected;
    private final int connections;
    private final int perSecond;
    private final int warmUpSeconds;
    private final int seconds;

    /** What the requests took. */
    static final class Result {
        private final long[] sortedNs;
        private final int refused;

        private Result(long[] sortedNs, int refused) {
            this.sortedNs = sortedNs;
            this.refused = refused;
        }

        double ms(double quantile) {
            int index = (int) Math.min(sortedNs.length - 1, Math.ceil(quantile * sortedNs.length));
            return sortedNs[index] / 1e6;
        }

        /** Answers with another status than expected. */
        int refused() {
            return refused;
        }
    }

    /** @param warmUpSeconds before those that count: this process is new to it, too */
    PacedLoad(int port, String body, int connections, int perSecond, int warmUpSeconds, int seconds) {
        this(port, request(body), 202, connections, perSecond, warmUpSeconds, seconds);
    }

    /**
     * @param requests the n-th one
     * @param expected status of each answer
     */
    PacedLoad(
            int port,
            IntFunction<byte[]> requests,
            int expected,
            int connections,
            int perSecond,
            int warmUpSeconds,
            int seconds) {
        this.port = port;
        this.requests = requests;
        this.expected = expected;
        this.connections = connections;
        this.perSecond = perSecond;
        this.warmUpSeconds = warmUpSeconds;
        this.seconds = seconds;
    }

    private static IntFunction<byte[]> request(String body) {
        byte[] request =
                ("POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "
                                + body.length() + "\r\n\r\n" + body)
                        .getBytes(US_ASCII);
        return n -> request;
    }

    private static final class Sender extends Thread {
        private final PacedLoad load;
        private final int first;
        private final long firstDueNs;
        private final long[] latencies;
        private final int warmUp;
        private final byte[] line = new byte[MOST_LINE];
        private int refused;

        Sender(PacedLoad load, int first, long firstDueNs) {
            super("sender");
            this.load = load;
            this.first = first;
            this.firstDueNs = firstDueNs;
            this.latencies = new long[load.perSecond * load.seconds / load.connections];
            this.warmUp = load.perSecond * load.warmUpSeconds / load.connections;
        }

        @Override
        public void run() {
            long gapNs = 1_000_000_000L * load.connections / load.perSecond;
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), load.port)) {
                socket.setTcpNoDelay(true);
                OutputStream out = socket.getOutputStream();
                InputStream in = new BufferedInputStream(socket.getInputStream());
                for (int i = 0; i < warmUp + latencies.length; i++) {
                    long dueNs = firstDueNs + i * gapNs;
                    for (long waitNs = dueNs - System.nanoTime(); waitNs > 0; waitNs = dueNs - System.nanoTime()) {
                        LockSupport.parkNanos(waitNs);
                    }
                    out.write(load.requests.apply(first + i * load.connections));
                    if (status(in) != load.expected) {
                        refused++;
                    }
                    if (i >= warmUp) {
                        latencies[i - warmUp] = System.nanoTime() - dueNs;
                    }
                }
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }

        /** Reads one answer to its end. */
        private int status(InputStream in) throws IOException {
            int status = Integer.parseInt(line(in).split(" ", 3)[1]);
            int length = 0;
            for (String header = line(in); !header.isEmpty(); header = line(in)) {
                if (header.regionMatches(true, 0, CONTENT_LENGTH, 0, CONTENT_LENGTH.length())) {
                    length = Integer.parseInt(
                            header.substring(CONTENT_LENGTH.length()).strip());
                }
            }
            in.skipNBytes(length);
            return status;
        }

        private String line(InputStream in) throws IOException {
            int size = 0;
            for (int b = in.read(); b != '\n'; b = in.read()) {
                if (b < 0) {
                    throw new EOFException("the server closed the connection");
                }
                line[size++] = (byte) b;
            }
            return new String(line, 0, Math.max(0, size - 1), US_ASCII);
        }
    }

    Result run() throws InterruptedException {
        List<Sender> senders = new ArrayList<>();
        long startNs = System.nanoTime() + 100_000_000L;
        for (int i = 0; i < connections; i++) {
            Sender sender = new Sender(this, i, startNs + 1_000_000_000L * i / perSecond);
            sender.start();
            senders.add(sender);
        }
        long[] all = new long[0];
        int refused = 0;
        for (Sender sender : senders) {
            sender.join();
            int from = all.length;
            all = Arrays.copyOf(all, from + sender.latencies.length);
            System.arraycopy(sender.latencies, 0, all, from, sender.latencies.length);
            refused += sender.refused;
        }
        Arrays.sort(all);
        return new Result(all, refused);
    }
}
