package dev.weir.throttler;

import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.kafka.UpstreamsWriter;
import dev.weir.contracts.wire.UpstreamRecord;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings {@code weir.upstreams} in line with the configuration file before the throttle starts: a change made live stands
 * until the file's own entry changes. Not thread-safe; blocks its caller for a bounded time.
 */
final class Seeding {
    static final Duration READ_PATIENCE = Duration.ofSeconds(30);

    private static final Logger LOG = LoggerFactory.getLogger(Seeding.class);

    private final Map<String, UpstreamSettings> file = new TreeMap<>();
    private final Upstreams upstreams;
    private final UpstreamsWriter writer;
    private final InstantSource clock;

    /** What becomes of one upstream's record. */
    sealed interface Decision {
        String name();

        void say();
    }

    /** The file says what it said before: what is in force stands. */
    record Keep(UpstreamRecord record) implements Decision {
        @Override
        public String name() {
            return record.name();
        }

        @Override
        public void say() {
            String changes = record.seed().changesTo(record.settings());
            if (!changes.isEmpty() || record.paused()) {
                LOG.info(
                        "{} keeps what was changed live (revision {}) over what the configuration file says: {}",
                        name(),
                        record.revision(),
                        record.paused() ? "paused" + (changes.isEmpty() ? "" : "; " + changes) : changes);
            }
        }
    }

    /** The file's settings come into force: there were none, or the file's own entry has changed. */
    record Put(@Nullable UpstreamRecord before, UpstreamRecord record) implements Decision {
        @Override
        public String name() {
            return record.name();
        }

        @Override
        public void say() {
            if (before == null) {
                LOG.info("{} is new in {}, with the settings of the configuration file", name(), Topics.UPSTREAMS);
                return;
            }
            String changes = before.settings().changesTo(record.settings());
            LOG.info(
                    "the entry of {} in the configuration file has changed and wins (revision {} -> {}{}): {}",
                    name(),
                    before.revision(),
                    record.revision(),
                    record.paused() ? ", still paused" : "",
                    changes.isEmpty() ? "it says what was in force already" : changes);
        }
    }

    /** The file does not have it any more. */
    record Remove(String name) implements Decision {
        @Override
        public void say() {
            LOG.warn(
                    "the upstream {} is not in the configuration file any more: its jobs are kept and not called; put it back"
                            + " to go on",
                    name);
        }
    }

    /** @param upstreams is being read */
    Seeding(WeirConfig config, Upstreams upstreams, KafkaSettings kafka, InstantSource clock) {
        for (UpstreamConfig upstream : config.upstreams().values()) {
            file.put(upstream.name(), upstream.settings());
        }
        this.upstreams = upstreams;
        this.writer = new UpstreamsWriter(kafka);
        this.clock = clock;
    }

    /**
     * Reads, decides, writes, and says in the log what it did.
     *
     * @throws IllegalStateException when Kafka does not answer in time; doing it again is harmless
     */
    void run() throws InterruptedException {
        if (!upstreams.awaitRead(READ_PATIENCE)) {
            throw new IllegalStateException(
                    Topics.UPSTREAMS + " could not be read within " + READ_PATIENCE + "; is the broker up?");
        }
        List<Decision> decisions = decide(file, upstreams.records(), clock.instant());
        if (!toWrite(decisions).isEmpty()) {
            decisions = write();
        }
        decisions.forEach(Decision::say);
    }

    static List<Decision> decide(Map<String, UpstreamSettings> file, Map<String, UpstreamRecord> records, Instant now) {
        List<Decision> decisions = new ArrayList<>();
        file.forEach((name, settings) -> {
            UpstreamRecord before = records.get(name);
            if (before != null && before.seed().equals(settings)) {
                decisions.add(new Keep(before));
            } else {
                decisions.add(new Put(
                        before,
                        new UpstreamRecord(
                                UpstreamRecord.VERSION,
                                name,
                                before == null ? 1 : before.revision() + 1,
                                now,
                                settings,
                                before != null && before.paused(),
                                false,
                                settings)));
            }
        });
        for (String name : records.keySet()) {
            if (!file.containsKey(name)) {
                decisions.add(new Remove(name));
            }
        }
        return decisions;
    }

    /** By name; null for a tombstone. */
    private static Map<String, @Nullable UpstreamRecord> toWrite(List<Decision> decisions) {
        Map<String, @Nullable UpstreamRecord> records = new LinkedHashMap<>();
        for (Decision decision : decisions) {
            if (!(decision instanceof Keep)) {
                records.put(decision.name(), decision instanceof Put put ? put.record() : null);
            }
        }
        return records;
    }

    /** Decides again, with what an ingress may have written just now. */
    private List<Decision> write() throws InterruptedException {
        List<Decision> decided = new ArrayList<>();
        try {
            Map<String, Long> offsets = writer.write(records -> {
                decided.clear();
                decided.addAll(decide(file, records, clock.instant()));
                return toWrite(decided);
            });
            Map<String, @Nullable UpstreamRecord> written = toWrite(decided);
            offsets.forEach((name, offset) -> upstreams.wrote(name, written.get(name), offset));
            return decided;
        } catch (UpstreamsWriter.NotWrittenException e) {
            throw new IllegalStateException(
                    "Kafka did not take the upstreams' settings into " + Topics.UPSTREAMS + ": " + e.getMessage(), e);
        }
    }
}
