package dev.weir.contracts.wire;

import dev.weir.contracts.config.UpstreamSettings;
import java.time.Instant;
import java.util.Objects;

/**
 * An upstream's settings in force. Topic {@code weir.upstreams} (compacted), key: the upstream's name; the last one counts, a
 * tombstone takes the upstream away. Neither its address nor its secret is in it.
 *
 * @param revision one more than the last one's
 * @param seed what the configuration file said when it was read last: while it says the same, a change made live wins over
 *     it
 * @param assumeUnused the operator's word that nothing was called before what Weir knows: a window longer than any kept so
 *     far does not count its unknown past as full. Good for the moment at which this record is taken up
 */
public record UpstreamRecord(
        int v,
        String name,
        long revision,
        Instant changedAt,
        UpstreamSettings settings,
        boolean paused,
        boolean assumeUnused,
        UpstreamSettings seed) {
    public static final int VERSION = 1;

    public UpstreamRecord {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(changedAt, "changedAt");
        Objects.requireNonNull(settings, "settings");
        Objects.requireNonNull(seed, "seed");
    }
}
