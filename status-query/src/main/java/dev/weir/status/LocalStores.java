package dev.weir.status;

import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.QueryResult;
import org.jspecify.annotations.Nullable;

/** The stores that this instance has, active ones, standbys and those that are being restored. Thread-safe. */
interface LocalStores {
    /**
     * Asks the store of one partition by an interactive query (IQv2); it does not say how old the answer is.
     *
     * @return null when this instance has nothing of that partition
     * @throws org.apache.kafka.common.KafkaException while the store is not open, or cannot be read
     */
    <R> @Nullable QueryResult<R> query(String store, int partition, Query<R> query);

    /**
     * The same, of a partition that is to be here.
     *
     * @return null when the store has no such key
     * @throws org.apache.kafka.common.KafkaException when it is not here, too
     */
    default <R> R answer(String store, int partition, Query<R> query) {
        QueryResult<R> result = query(store, partition, query);
        if (result == null) {
            throw new InvalidStateStoreException("partition " + partition + " is not here");
        }
        return result.getResult();
    }
}
