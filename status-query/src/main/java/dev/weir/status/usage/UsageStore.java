package dev.weir.status.usage;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.query.Query;
import org.apache.kafka.streams.query.WindowRangeQuery;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.jspecify.annotations.Nullable;

/** Reads the windows of one partition. Thread-safe if what it asks is. */
public final class UsageStore {
    /** Windows, tenants and upstreams that one question reads of one partition. */
    static final int MOST_READ = 200_000;

    private UsageStore() {}

    /** Asks a store of one partition by an interactive query. */
    public interface Stores {
        <R> R answer(String store, Query<R> query);
    }

    /** What was counted in one step. */
    public record Row(Instant start, String tenant, String upstream, Counts counts) {}

    /**
     * One partition's rows.
     *
     * @param complete false when there were more than can be read at once
     */
    public record Rows(List<Row> rows, boolean complete) {}

    /**
     * Which windows.
     *
     * @param from the start of the first step
     * @param to the first instant that is no longer in
     * @param step a multiple of the grain's width; rows are added up to it, from {@code from} on
     * @param tenant null for all
     * @param upstream null for all
     */
    public record Question(
            Grain grain,
            Instant from,
            Instant to,
            Duration step,
            @Nullable String tenant,
            @Nullable String upstream) {}

    public static Rows read(Stores stores, Question question) {
        List<Row> rows = new ArrayList<>();
        int read = 0;
        try (KeyValueIterator<Windowed<String>, Aggregate> windows = stores.answer(
                question.grain().store(),
                WindowRangeQuery.<String, Aggregate>withWindowStartRange(
                        question.from(), question.to().minusMillis(1)))) {
            while (windows.hasNext()) {
                if (read++ == MOST_READ) {
                    return new Rows(List.of(), false);
                }
                KeyValue<Windowed<String>, Aggregate> window = windows.next();
                String tenant = UsageKey.tenant(window.key.key());
                String upstream = UsageKey.upstream(window.key.key());
                if ((question.tenant() == null || question.tenant().equals(tenant))
                        && (question.upstream() == null || question.upstream().equals(upstream))) {
                    Instant start = start(question, window.key.window().start());
                    rows.add(new Row(start, tenant, upstream, window.value.counts()));
                }
            }
        }
        return new Rows(sum(rows), true);
    }

    private static Instant start(Question question, long windowStartMs) {
        long fromMs = question.from().toEpochMilli();
        long stepMs = question.step().toMillis();
        return Instant.ofEpochMilli(fromMs + (windowStartMs - fromMs) / stepMs * stepMs);
    }

    /** Those of one step, tenant and upstream, added up. */
    public static List<Row> sum(List<Row> rows) {
        Map<Row, Counts> sums = new HashMap<>();
        for (Row row : rows) {
            sums.merge(new Row(row.start(), row.tenant(), row.upstream(), Counts.NONE), row.counts(), Counts::plus);
        }
        return sums.entrySet().stream()
                .map(sum -> new Row(
                        sum.getKey().start(),
                        sum.getKey().tenant(),
                        sum.getKey().upstream(),
                        sum.getValue()))
                .toList();
    }
}
