package dev.weir.status.usage;

import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/**
 * Job events → windowed counts by tenant and upstream. Each partition counts what passes through it; who asks adds the
 * partitions up, so that nothing has to be repartitioned. Old windows go with their whole segment, here and, by its
 * retention, in the changelog.
 */
public final class UsageTopology {
    public static final String PROCESSOR = "usage";

    private UsageTopology() {}

    /** @param parent forwards every readable job event, by id, in the order of the topic */
    public static void addTo(Topology topology, String parent) {
        topology.addProcessor(PROCESSOR, UsageProcessor::new, parent);
        for (Grain grain : Grain.values()) {
            topology.addStateStore(store(grain), PROCESSOR);
        }
    }

    /** Cached until the next commit: within half a second mostly the same few windows change. */
    private static StoreBuilder<WindowStore<String, Aggregate>> store(Grain grain) {
        return Stores.windowStoreBuilder(
                        Stores.persistentWindowStore(grain.store(), grain.kept(), grain.width(), false),
                        Serdes.String(),
                        Aggregate.serde())
                .withCachingEnabled();
    }
}
