package dev.weir.benchmarks;

import dev.weir.benchmarks.GroupMember.Kind;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.standalone.cli.PrintingCommand;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.StringSerializer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How soon a permit that is committed to {@code weir.dispatch} is held by a dispatcher, for each kind of group: in peace, and
 * while members are killed, join, leave and stand still. A permit is worth nothing once its time to live is over.
 */
@Command(
        name = "groups",
        mixinStandardHelpOptions = true,
        showDefaultValues = true,
        description = "From a committed permit to its holder: consumer groups beside a share group.")
final class GroupsBenchmark extends PrintingCommand {
    private static final Duration COMMIT_EVERY = Duration.ofMillis(100);
    private static final Duration START = Duration.ofSeconds(30);
    private static final int VALUE_BYTES = 1024;
    private static final int MICROS_PER_MILLI = 1000;

    @Option(names = "--kinds", split = ",", description = "To compare: ${COMPLETION-CANDIDATES}.")
    List<Kind> kinds = List.of(Kind.values());

    @Option(names = "--rate", description = "Permits a second.")
    int rate = 100;

    @Option(names = "--ttl", description = "Milliseconds after which a permit counts as too late.")
    long ttlMs = 3000;

    @Option(names = "--partitions", description = "Of the topic.")
    int partitions = 8;

    @Option(names = "--many", description = "Members at the end.")
    int many = 12;

    @Override
    public Integer call() throws Exception {
        PrintWriter out = out();
        out.printf(
                "%-12s%-16s%8s%8s%8s%8s%8s%8s%8s  %s%n",
                "group", "phase", "permits", "p50 ms", "p99 ms", "max ms", "late", "never", "twice", "by member");
        for (Kind kind : kinds) {
            try (Round round = new Round(kind, out)) {
                round.run();
            }
        }
        return 0;
    }

    /** One kind of group on a fresh broker. */
    private final class Round implements AutoCloseable {
        private final Kind kind;
        private final PrintWriter out;
        private final Broker broker = new Broker();
        private final List<Member> members = new CopyOnWriteArrayList<>();
        /** When each permit's commit began, in microseconds since the epoch, by its number. */
        private final List<Long> committed = new CopyOnWriteArrayList<>();

        private final Map<Integer, List<Taken>> taken = new ConcurrentHashMap<>();
        private final Thread feeder = new Thread(this::feed, "feeder");
        private volatile boolean closing;

        Round(Kind kind, PrintWriter out) throws Exception {
            this.kind = kind;
            this.out = out;
            try (Admin admin = Admin.create(broker.settings().common())) {
                admin.createTopics(List.of(new NewTopic(GroupMember.TOPIC, partitions, (short) 1)))
                        .all()
                        .get();
                admin.incrementalAlterConfigs(Map.of(
                                new ConfigResource(ConfigResource.Type.GROUP, GroupMember.GROUP),
                                kind == Kind.SHARE
                                        ? List.of(
                                                set("share.isolation.level", "read_committed"),
                                                set("share.auto.offset.reset", "earliest"),
                                                set("share.record.lock.duration.ms", "15000"))
                                        : List.of()))
                        .all()
                        .get();
            }
        }

        void run() throws Exception {
            for (int i = 0; i < 3; i++) {
                start();
            }
            feeder.start();
            for (Member member : members) {
                Broker.await("a permit for " + member.name, () -> member.count.get() > 0);
            }
            phase("in peace", 10, () -> {});
            phase("kill -9", 15, () -> members.get(0).process.destroyForcibly());
            phase("one joins", 8, this::start);
            phase("one leaves", 12, () -> members.get(1).leave());
            phase("stopped 12 s", 12, () -> members.get(2).signal("STOP"));
            phase("goes on", 8, () -> members.get(2).signal("CONT"));
            phase("many", 15, () -> {
                while (members.size() < many + 2) {
                    start();
                }
            });
        }

        private void start() throws IOException {
            members.add(new Member(kind, members.size(), broker.settings(), taken));
        }

        private void phase(String name, int seconds, Step step) throws Exception {
            int from = committed.size();
            int[] before = members.stream().mapToInt(m -> m.count.get()).toArray();
            step.run();
            Broker.pause(Duration.ofSeconds(seconds));
            int to = committed.size();
            int[] counts = new int[members.size()];
            for (int i = 0; i < counts.length; i++) {
                counts[i] = members.get(i).count.get() - (i < before.length ? before[i] : 0);
            }
            // What was committed last is still under way to somebody.
            Broker.pause(Duration.ofMillis(500));
            report(name, from, to, counts);
        }

        private void report(String phase, int from, int to, int[] counts) {
            List<Long> latencies = new ArrayList<>();
            int never = 0;
            int late = 0;
            int twice = 0;
            for (int i = from; i < to; i++) {
                List<Taken> of = taken.getOrDefault(i, List.of());
                if (of.isEmpty()) {
                    never++;
                    continue;
                }
                twice += of.size() > 1 ? 1 : 0;
                long micros = of.get(0).atMicros() - committed.get(i);
                late += micros > ttlMs * MICROS_PER_MILLI ? 1 : 0;
                latencies.add(micros);
            }
            latencies.sort(null);
            out.printf(
                    "%-12s%-16s%8d%8.1f%8.1f%8.1f%8d%8d%8d  %s%n",
                    kind,
                    phase,
                    to - from,
                    millis(latencies, 0.5),
                    millis(latencies, 0.99),
                    millis(latencies, 1),
                    late,
                    never,
                    twice,
                    Arrays.toString(counts));
            out.flush();
        }

        private static double millis(List<Long> sorted, double quantile) {
            return sorted.isEmpty()
                    ? Double.NaN
                    : sorted.get((int) Math.round(quantile * (sorted.size() - 1))) / (double) MICROS_PER_MILLI;
        }

        /** Commits permits in transactions, as the throttle does. */
        private void feed() {
            Map<String, Object> settings = broker.settings().producer();
            settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "feeder");
            byte[] value = new byte[VALUE_BYTES];
            long every = COMMIT_EVERY.toNanos();
            try (KafkaProducer<String, byte[]> producer =
                    new KafkaProducer<>(settings, new StringSerializer(), new ByteArraySerializer())) {
                producer.initTransactions();
                long started = System.nanoTime();
                int number = 0;
                while (!closing) {
                    producer.beginTransaction();
                    long due = (System.nanoTime() - started) * rate / 1_000_000_000L;
                    int first = number;
                    for (; number < due; number++) {
                        var unused =
                                producer.send(new ProducerRecord<>(GroupMember.TOPIC, Integer.toString(number), value));
                    }
                    long now = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
                    committed.addAll(java.util.Collections.nCopies(number - first, now));
                    producer.commitTransaction();
                    Broker.pause(Duration.ofNanos(every - (System.nanoTime() - started) % every));
                }
            }
        }

        @Override
        public void close() throws IOException {
            closing = true;
            members.forEach(member -> member.process.destroyForcibly());
            try {
                feeder.join(START.toMillis());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            broker.close();
        }
    }

    private interface Step {
        void run() throws Exception;
    }

    private record Taken(int member, long atMicros) {}

    private static final class Member {
        final String name;
        final Process process;
        final AtomicInteger count = new AtomicInteger();

        Member(Kind kind, int number, KafkaSettings kafka, Map<Integer, List<Taken>> taken) throws IOException {
            name = "member-" + number;
            process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx128m",
                            "-XX:+UseSerialGC",
                            "-cp",
                            System.getProperty("java.class.path"),
                            GroupMember.class.getName(),
                            kafka.bootstrapServers(),
                            kind.name(),
                            name)
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
            Thread reader = new Thread(() -> read(number, taken), name);
            reader.setDaemon(true);
            reader.start();
        }

        private void read(int number, Map<Integer, List<Taken>> taken) {
            try (BufferedReader in = process.inputReader(StandardCharsets.US_ASCII)) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    String[] fields = line.split(" ", -1);
                    if (!fields[0].equals(GroupMember.TAKEN)) {
                        continue;
                    }
                    taken.computeIfAbsent(Integer.parseInt(fields[1]), k -> new CopyOnWriteArrayList<>())
                            .add(new Taken(number, Long.parseLong(fields[2])));
                    count.incrementAndGet();
                }
            } catch (IOException e) {
                // It was killed.
            }
        }

        void leave() throws IOException {
            process.outputWriter(StandardCharsets.US_ASCII).append('\n').flush();
        }

        void signal(String signal) throws IOException, InterruptedException {
            new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                    .start()
                    .waitFor();
        }
    }

    private static AlterConfigOp set(String key, String value) {
        return new AlterConfigOp(new ConfigEntry(key, value), AlterConfigOp.OpType.SET);
    }
}
