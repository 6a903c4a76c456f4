package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.query.KeyQuery;
import org.apache.kafka.streams.query.RangeQuery;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.jspecify.annotations.Nullable;

/**
 * Lists of jobs, the newest first, page by page. A page begins behind a place in the order, which jobs never change; so no
 * page shows a job twice, and jobs that come meanwhile stand before the first page. Thread-safe.
 */
final class JobLists {
    /** Entries of one partition that one page looks at; a page of a rare status may be short, or empty, and still go on. */
    static final int MOST_SCANNED = 20_000;
    /** A list of all tenants reads a partition in as many places at once. */
    static final int MOST_TENANTS = 2_000;

    private final LocalStores stores;
    private final EveryPartition everywhere;

    JobLists(LocalStores stores, EveryPartition everywhere) {
        this.stores = stores;
        this.everywhere = everywhere;
    }

    /**
     * What a partition has behind a place.
     *
     * @param upTo the last place that was looked at; null when there is nothing behind it
     */
    record PartitionPage(List<JobEvent> jobs, Listing.@Nullable Place upTo) {}

    /**
     * A page.
     *
     * @param next behind which the next page begins; null when this is the last one
     */
    record Page(
            List<JobEvent> jobs,
            Listing.@Nullable Place next,
            @Nullable Instant asOf) {}

    CompletableFuture<Page> page(ListFilter filter, Listing.@Nullable Place after, int limit) {
        String behind = after == null ? "" : "&afterMs=" + after.epochMs() + "&afterId=" + after.id();
        return everywhere
                .ask(
                        "/list?" + filter.query() + "&limit=" + limit + behind,
                        PartitionPage.class,
                        partition -> scan(partition, filter, after, limit))
                .thenApply(gathered -> merge(gathered, limit));
    }

    private static Page merge(EveryPartition.Gathered<PartitionPage> gathered, int limit) {
        Listing.Place upTo = gathered.answers().stream()
                .map(PartitionPage::upTo)
                .filter(place -> place != null)
                .min(Comparator.naturalOrder())
                .orElse(null);
        // Behind the place that one partition has not looked beyond, it may have jobs that come before another's.
        List<JobEvent> sure = gathered.answers().stream()
                .flatMap(page -> page.jobs().stream())
                .filter(job -> upTo == null || Listing.place(job).compareTo(upTo) <= 0)
                .sorted(Comparator.comparing(Listing::place))
                .toList();
        if (sure.size() > limit) {
            List<JobEvent> jobs = sure.subList(0, limit);
            return new Page(jobs, Listing.place(jobs.get(limit - 1)), gathered.asOf());
        }
        return new Page(sure, upTo, gathered.asOf());
    }

    private record Reader(KeyValueIterator<Bytes, byte[]> entries) {
        Listing.Place place() {
            return Listing.place(entries.peekNextKey());
        }
    }

    /** One partition's part of a page, from the local store. */
    PartitionPage scan(int partition, ListFilter filter, Listing.@Nullable Place after, int limit) {
        PriorityQueue<Reader> readers = new PriorityQueue<>(Comparator.comparing(Reader::place));
        List<KeyValueIterator<Bytes, byte[]>> opened = new ArrayList<>();
        try {
            for (String tenant : filter.tenant() == null ? tenants(partition) : List.of(filter.tenant())) {
                KeyValueIterator<Bytes, byte[]> entries = stores.answer(
                        StatusTopology.LISTING,
                        partition,
                        RangeQuery.withRange(first(tenant, filter, after), last(tenant, filter)));
                opened.add(entries);
                if (entries.hasNext()) {
                    readers.add(new Reader(entries));
                }
            }
            return scan(partition, filter, limit, readers);
        } finally {
            opened.forEach(KeyValueIterator::close);
        }
    }

    private PartitionPage scan(int partition, ListFilter filter, int limit, PriorityQueue<Reader> readers) {
        List<JobEvent> jobs = new ArrayList<>();
        Listing.Place looked = null;
        for (int scanned = 0; scanned < MOST_SCANNED && jobs.size() < limit && !readers.isEmpty(); scanned++) {
            Reader reader = readers.remove();
            KeyValue<Bytes, byte[]> next = reader.entries().next();
            Listing.Entry entry = Listing.entry(next.key, next.value);
            looked = entry.place();
            if (filter.passes(entry)) {
                JobEvent job =
                        stores.answer(StatusTopology.JOBS, partition, KeyQuery.<String, JobEvent>withKey(looked.id()));
                // Forgotten, or moved on, since the entry was read.
                if (job != null && filter.passes(job)) {
                    jobs.add(job);
                }
            }
            if (reader.entries().hasNext()) {
                readers.add(reader);
            }
        }
        return new PartitionPage(jobs, readers.isEmpty() ? null : looked);
    }

    /** The tenants of a partition, found by leaping from one to the next. */
    private List<String> tenants(int partition) {
        List<String> tenants = new ArrayList<>();
        RangeQuery<Bytes, byte[]> from = RangeQuery.withNoBounds();
        while (true) {
            try (KeyValueIterator<Bytes, byte[]> entries = stores.answer(StatusTopology.LISTING, partition, from)) {
                if (!entries.hasNext()) {
                    return tenants;
                }
                if (tenants.size() == MOST_TENANTS) {
                    throw new StatusUnavailableException(
                            "there are more than " + MOST_TENANTS + " tenants; ask for one, with tenant=", null);
                }
                String tenant = Listing.tenant(entries.peekNextKey());
                tenants.add(tenant);
                from = RangeQuery.withLowerBound(Listing.behind(tenant));
            }
        }
    }

    private static Bytes first(String tenant, ListFilter filter, Listing.@Nullable Place after) {
        Listing.Place newest = new Listing.Place(Math.max(0, filter.toMs() - 1), "");
        if (after == null || newest.compareTo(after) > 0) {
            return Listing.key(tenant, newest);
        }
        return Listing.key(tenant, new Listing.Place(after.epochMs(), after.id() + "\0"));
    }

    private static Bytes last(String tenant, ListFilter filter) {
        // Behind every id.
        return Listing.key(tenant, new Listing.Place(filter.fromMs(), "~"));
    }
}
