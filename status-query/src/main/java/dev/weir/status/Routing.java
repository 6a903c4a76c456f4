package dev.weir.status;

import java.util.List;
import org.apache.kafka.streams.state.HostInfo;
import org.jspecify.annotations.Nullable;

/** Which instance has which partition, as Kafka Streams tells it: right after a failure it may be out of date. Thread-safe. */
interface Routing {
    /** The instance whose store of the partition is the active one; null while none is known, or it is this one. */
    @Nullable
    HostInfo owner(int partition);

    /** The others that have a standby of it. */
    List<HostInfo> standbys(int partition);

    /** Of an instance that is alone. */
    Routing ALONE = new Routing() {
        @Override
        public @Nullable HostInfo owner(int partition) {
            return null;
        }

        @Override
        public List<HostInfo> standbys(int partition) {
            return List.of();
        }
    };
}
