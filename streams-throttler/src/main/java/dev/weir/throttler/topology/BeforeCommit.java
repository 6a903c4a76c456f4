package dev.weir.throttler.topology;

import java.util.Map;
import org.apache.kafka.streams.processor.StateStore;
import org.apache.kafka.streams.processor.StateStoreContext;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.internals.CacheFlushListener;
import org.apache.kafka.streams.state.internals.CachedStateStore;

/**
 * Runs what the processor wants done before each commit. Kafka Streams has no call for that; but before it commits, it flushes
 * the stores that are caches, so this is one, with nothing in it. {@link CachedStateStore} is internal to Kafka Streams 4.3: one
 * that no longer has it does not compile here, and one that no longer flushes it fails every test of the topology.
 */
final class BeforeCommit implements StateStore, CachedStateStore<byte[], byte[]> {
    static final String NAME = "throttle-before-commit";

    private Runnable task = () -> {};
    private boolean open;

    /** By the processor, when it starts. */
    void run(Runnable newTask) {
        task = newTask;
    }

    @Override
    public void flushCache() {
        task.run();
    }

    @Override
    public boolean setFlushListener(CacheFlushListener<byte[], byte[]> listener, boolean sendOldValues) {
        return false;
    }

    @Override
    public void clearCache() {
        // Nothing is in it.
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public void init(StateStoreContext context, StateStore root) {
        context.register(root, (key, value) -> {});
        open = true;
    }

    @Override
    public void close() {
        open = false;
        task = () -> {};
    }

    @Override
    public boolean persistent() {
        return false;
    }

    @Override
    public boolean isOpen() {
        return open;
    }

    /** Has no settings. */
    static final class Builder implements StoreBuilder<BeforeCommit> {
        @Override
        public StoreBuilder<BeforeCommit> withCachingEnabled() {
            return this;
        }

        @Override
        public StoreBuilder<BeforeCommit> withCachingDisabled() {
            return this;
        }

        @Override
        public StoreBuilder<BeforeCommit> withLoggingEnabled(Map<String, String> config) {
            throw new UnsupportedOperationException(
                    NAME + " holds nothing that a changelog could keep: build it without one");
        }

        @Override
        public StoreBuilder<BeforeCommit> withLoggingDisabled() {
            return this;
        }

        @Override
        public BeforeCommit build() {
            return new BeforeCommit();
        }

        @Override
        public Map<String, String> logConfig() {
            return Map.of();
        }

        @Override
        public boolean loggingEnabled() {
            return false;
        }

        @Override
        public String name() {
            return NAME;
        }
    }
}
