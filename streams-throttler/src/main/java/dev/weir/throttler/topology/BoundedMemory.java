package dev.weir.throttler.topology;

import java.util.Map;
import org.apache.kafka.streams.state.RocksDBConfigSetter;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.Filter;
import org.rocksdb.LRUCache;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.WriteBufferManager;

/**
 * One cache and one write-buffer budget for all stores of the process together. Kafka Streams makes a setter for each store,
 * so what they share is static; it lives as long as the process.
 */
public final class BoundedMemory implements RocksDBConfigSetter {
    /** Blocks, indexes, filters and write buffers of all stores. */
    public static final long TOTAL_BYTES = 192L * 1024 * 1024;

    public static final long WRITE_BUFFERS_BYTES = 96L * 1024 * 1024;
    private static final long WRITE_BUFFER_BYTES = 16L * 1024 * 1024;
    private static final int WRITE_BUFFERS_PER_STORE = 3;
    private static final int BLOCK_BYTES = 16 * 1024;
    private static final double FILTER_BITS_PER_KEY = 10;

    static {
        RocksDB.loadLibrary();
    }

    private static final Cache CACHE = new LRUCache(TOTAL_BYTES);
    private static final Filter FILTER = new BloomFilter(FILTER_BITS_PER_KEY);
    private static final WriteBufferManager WRITE_BUFFERS = new WriteBufferManager(WRITE_BUFFERS_BYTES, CACHE);

    @Override
    public void setConfig(String storeName, Options options, Map<String, Object> configs) {
        if (options.tableFormatConfig() instanceof BlockBasedTableConfig table) {
            table.setBlockCache(CACHE);
            table.setBlockSize(BLOCK_BYTES);
            table.setFilterPolicy(FILTER);
            table.setCacheIndexAndFilterBlocks(true);
            table.setPinTopLevelIndexAndFilter(true);
            options.setTableFormatConfig(table);
        }
        options.setWriteBufferManager(WRITE_BUFFERS);
        options.setWriteBufferSize(WRITE_BUFFER_BYTES);
        options.setMaxWriteBufferNumber(WRITE_BUFFERS_PER_STORE);
    }

    @Override
    public void close(String storeName, Options options) {
        // The cache and the write buffers are shared with the stores that are still open.
    }
}
