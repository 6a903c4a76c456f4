package dev.weir.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A broker in a process of its own, always at the same port: to be killed and started again. Not thread-safe. */
public final class KafkaAtPort implements AutoCloseable {
    private static final String READY = "ready at ";

    private final Path dir;
    private final int port;
    private @Nullable Process process;

    /** Starts it, and waits until it is there. */
    public KafkaAtPort(Path dir) throws IOException {
        this.dir = dir;
        this.port = TestPorts.next();
        start();
    }

    public static void main(String[] args) throws Exception {
        try (EmbeddedKafka kafka = new EmbeddedKafka(Path.of(args[0]), Integer.parseInt(args[1]))) {
            System.out.println(READY + kafka.bootstrapServers());
            System.out.flush();
            Thread.currentThread().join();
        }
    }

    public String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    public void start() {
        try {
            Process started = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx512m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            KafkaAtPort.class.getName(),
                            dir.toString(),
                            Integer.toString(port))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            process = started;
            String line;
            do {
                line = started.inputReader(StandardCharsets.UTF_8).readLine();
                if (line == null) {
                    throw new IllegalStateException("the broker's process ended before it was ready");
                }
            } while (!line.startsWith(READY));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As kill -9 does. */
    public void kill() {
        if (process != null) {
            process.destroyForcibly().onExit().join();
        }
    }

    @Override
    public void close() {
        kill();
    }
}
