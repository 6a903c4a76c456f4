package dev.weir.status;

import dev.weir.status.usage.Grain;
import java.time.Duration;
import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.Cache;
import org.rocksdb.CompressionType;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * One cache and one write-buffer budget for all the stores of an application together: without it each store of each
 * partition takes its own. It travels to the stores in the Streams configuration. Close it after the streams.
 */
final class StoreMemory implements AutoCloseable {
    /** The key under which the configuration carries it. */
    static final String CONFIG = "weir.status.store.memory";

    static final long CACHE_BYTES = 48L * 1024 * 1024;
    /** Counted within the cache. */
    static final long WRITE_BUFFERS_BYTES = 24L * 1024 * 1024;

    static final long WRITE_BUFFER_BYTES = 4L * 1024 * 1024;
    static final long SEGMENT_WRITE_BUFFER_BYTES = 512L * 1024;
    static final int MOST_WRITE_BUFFERS = 2;

    /** What was deleted has left the disk within about so long. */
    static final Duration REWRITE_AFTER = Duration.ofDays(1);

    private final Cache cache;
    private final WriteBufferManager writeBuffers;

    StoreMemory() {
        RocksDB.loadLibrary();
        cache = new LRUCache(CACHE_BYTES);
        writeBuffers = new WriteBufferManager(WRITE_BUFFERS_BYTES, cache);
    }

    @Override
    public void close() {
        writeBuffers.close();
        cache.close();
    }

    /** Made by Kafka Streams, by its class name. */
    public static final class Setter implements RocksDBConfigSetter {
        @Override
        public void setConfig(String storeName, Options options, Map<String, Object> configs) {
            if (!(configs.get(CONFIG) instanceof StoreMemory memory)) {
                throw new IllegalStateException("the Streams configuration carries no " + CONFIG);
            }
            BlockBasedTableConfig table = (BlockBasedTableConfig) options.tableFormatConfig();
            table.setBlockCache(memory.cache);
            table.setCacheIndexAndFilterBlocks(true);
            options.setTableFormatConfig(table);
            // A store's reads wait for one another, so a read from the disk holds up many: states are JSON and take a
            // quarter of the room like this.
            options.setCompressionType(CompressionType.LZ4_COMPRESSION);
            // Nothing else would ever rewrite the files of an old day, with the deletions of all that was forgotten
            // since.
            options.setPeriodicCompactionSeconds(REWRITE_AFTER.toSeconds());
            options.setWriteBufferManager(memory.writeBuffers);
            // Its segments are many and small; a write buffer takes an eighth of its size at once.
            options.setWriteBufferSize(
                    storeName.startsWith(Grain.STORES) ? SEGMENT_WRITE_BUFFER_BYTES : WRITE_BUFFER_BYTES);
            options.setMaxWriteBufferNumber(MOST_WRITE_BUFFERS);
        }

        @Override
        public void close(String storeName, Options options) {
            // The cache and the write-buffer manager are shared: StoreMemory closes them, once, at the end.
        }
    }
}
