package dev.weir.acceptance;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Everything that a standalone Weir shows and keeps, to be searched for a text. */
final class Search {
    private static final Pattern KAFKA = Pattern.compile("Kafka on ([0-9.]+:[0-9]+)");

    /** Of Kafka's files those that hold offsets only, and take 10 MB each. */
    private static final Pattern RESERVED = Pattern.compile(".*\\.(time)?index");

    private final WeirProcess weir;
    private final Path dir;
    /** The places where each text was found. */
    private final Map<String, Set<String>> found = new HashMap<>();

    /**
     * @param dir with the data directory as {@code data}
     * @param texts what to look for
     */
    Search(WeirProcess weir, Path dir, List<String> texts) {
        this.weir = weir;
        this.dir = dir;
        texts.forEach(text -> found.put(text, new TreeSet<>()));
    }

    Set<String> placesOf(String text) {
        return Objects.requireNonNull(found.get(text));
    }

    void page(String path) throws Exception {
        var answer = weir.send("GET", path, null);
        add("GET " + path, (answer.headers().map() + answer.body()).getBytes(StandardCharsets.UTF_8));
    }

    void log() {
        add("log", weir.log().getBytes(StandardCharsets.UTF_8));
    }

    /** Of all topics, the internal ones too: keys, values and headers. */
    void topics() {
        Matcher servers = KAFKA.matcher(weir.log());
        if (!servers.find()) {
            throw new IllegalStateException("the log does not say where Kafka is");
        }
        Map<String, Object> settings = new HashMap<>();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, servers.group(1));
        settings.put(ConsumerConfig.EXCLUDE_INTERNAL_TOPICS_CONFIG, false);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = consumer.listTopics().values().stream()
                    .flatMap(List::stream)
                    .map(p -> new TopicPartition(p.topic(), p.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(e -> consumer.position(e.getKey()) < e.getValue())) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                    String place = "topic " + record.topic();
                    add(place, record.key());
                    add(place, record.value());
                    for (Header header : record.headers()) {
                        add(place, header.key().getBytes(StandardCharsets.UTF_8));
                        add(place, header.value());
                    }
                }
            }
        }
    }

    /** Every column of every table of Weir's, bytes as they are. */
    void database() throws IOException, SQLException {
        try (Connection connection = new PostgresControl(dir.resolve("data").resolve("postgres")).connect()) {
            for (String table : tables(connection)) {
                try (Statement statement = connection.createStatement();
                        ResultSet rows = statement.executeQuery("select * from " + table)) {
                    while (rows.next()) {
                        for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                            boolean bytes =
                                    rows.getMetaData().getColumnTypeName(i).equals("bytea");
                            String text = bytes ? null : rows.getString(i);
                            add(
                                    "table " + table,
                                    bytes
                                            ? rows.getBytes(i)
                                            : text == null ? null : text.getBytes(StandardCharsets.UTF_8));
                        }
                    }
                }
            }
        }
    }

    private static List<String> tables(Connection connection) throws SQLException {
        List<String> tables = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("select table_name from information_schema.tables"
                        + " where table_schema = 'public' and table_type = 'BASE TABLE'")) {
            while (rows.next()) {
                tables.add(rows.getString(1));
            }
        }
        return tables;
    }

    /** Whatever lies in the data directory: Kafka's segments, RocksDB's files, PostgreSQL's pages and log. */
    void files() throws IOException {
        Path data = dir.resolve("data");
        List<Path> files;
        try (Stream<Path> all = Files.walk(data)) {
            files = all.filter(Files::isRegularFile)
                    .filter(file -> !RESERVED.matcher(file.toString()).matches())
                    .toList();
        }
        for (Path file : files) {
            add("file " + data.relativize(file), Files.readAllBytes(file));
        }
    }

    private void add(String place, byte[] bytes) {
        if (bytes == null) {
            return;
        }
        String content = new String(bytes, StandardCharsets.ISO_8859_1);
        found.forEach((text, places) -> {
            if (content.contains(text)) {
                places.add(place);
            }
        });
    }
}
