package dev.weir.contracts.kafka;

import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.wire.UpstreamRecord;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * The upstreams with the settings in force: what {@code weir.upstreams} says, else the configuration file. Which upstreams
 * there are, their addresses and their secrets come from this process's file alone, so that no live change can send a secret
 * elsewhere. Thread-safe; {@link #start()} at most once.
 */
public final class Upstreams implements AutoCloseable {
    private final Map<String, UpstreamConfig> file;
    private final CompactedTopic<UpstreamRecord> live;

    public Upstreams(WeirConfig config, KafkaSettings kafka) {
        file = config.upstreams();
        live = CompactedTopic.upstreams(kafka);
    }

    /** Begins to read {@code weir.upstreams}; until then the file is all there is. */
    public void start() {
        live.start();
    }

    /** The names of the configuration file, in its order. */
    public Set<String> names() {
        return file.keySet();
    }

    /** An upstream of the file, with the settings in force; null when the file has no such name. */
    public @Nullable UpstreamConfig of(String name) {
        UpstreamConfig upstream = file.get(name);
        UpstreamRecord changed = live.of(name);
        return upstream == null || changed == null ? upstream : upstream.with(changed.settings());
    }

    /** What {@code weir.upstreams} says of a name; null when it says nothing. */
    public @Nullable UpstreamRecord record(String name) {
        return live.of(name);
    }

    /** All that {@code weir.upstreams} says, the names that the file does not have too. */
    public SortedMap<String, UpstreamRecord> records() {
        return live.all();
    }

    /** Takes in what this process has written, at once; a null record took the upstream away. */
    public void wrote(String name, @Nullable UpstreamRecord record, long offset) {
        live.wrote(name, record, offset);
    }

    /** Null once {@code weir.upstreams} has been read to its end, else why not. */
    public @Nullable String notReady() {
        return live.notReady();
    }

    /** Waits until {@code weir.upstreams} has been read to its end; false when that took too long. */
    public boolean awaitRead(Duration patience) throws InterruptedException {
        return live.awaitRead(patience);
    }

    @Override
    public void close() {
        live.close();
    }
}
