package dev.weir.throttler.topology;

import dev.weir.throttler.upstream.Job;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.jspecify.annotations.Nullable;

/**
 * Jobs whose call is under way. They stand on pages by the numbers of their permits: neighbours go out together, and most come
 * back together, so that many share a write. Which job has which permit is known in memory, for as many as are in flight. Not
 * thread-safe.
 */
final class DispatchedJobs {
    private final HeadWrites heads;
    private final Map<String, Standing> standing = new HashMap<>();

    /** @param revision in which it was dispatched */
    private record Standing(String upstream, long permit, long revision) {}

    /** Finds those of an earlier run. */
    DispatchedJobs(HeadWrites heads) {
        this.heads = heads;
        try (KeyValueIterator<Bytes, byte[]> pages =
                heads.range(Keys.start(Keys.DISPATCHED_PAGE), Keys.end(Keys.DISPATCHED_PAGE))) {
            while (pages.hasNext()) {
                KeyValue<Bytes, byte[]> page = pages.next();
                JobPage.jobs(page.value).forEach(job -> standing.put(job.id(), standing(job)));
            }
        }
    }

    /** Null for one that is not under way. */
    @Nullable
    Job get(String id) {
        Standing at = standing.get(id);
        if (at == null) {
            return null;
        }
        byte[] page = heads.get(key(at));
        Job job = page == null ? null : JobPage.job(page, at.permit());
        if (job == null || !job.id().equals(id)) {
            throw new IllegalStateException("job " + id + " is under way with permit " + at.permit() + " of "
                    + at.upstream() + ", but the store does not have it there");
        }
        return job;
    }

    void put(Job job) {
        Standing at = standing(job);
        boolean again = standing.put(job.id(), at) != null;
        // Permits are given in the order of their numbers: a page begins with the first on it.
        boolean isNew = !again && PageForm.beginsPage(at.permit());
        heads.change(key(at), isNew, page -> JobPage.with(page, at.permit(), job));
    }

    /** The revision in which it was dispatched; 0 for one that is not under way. */
    long remove(String id) {
        Standing at = standing.remove(id);
        if (at == null) {
            return 0;
        }
        heads.change(key(at), false, page -> page == null ? null : JobPage.without(page, at.permit()));
        return at.revision();
    }

    private static Standing standing(Job job) {
        Long permit = job.place().permit();
        if (permit == null) {
            throw new IllegalStateException("job " + job.id() + " is dispatched without a permit");
        }
        return new Standing(job.upstream(), permit, job.revision());
    }

    private static Bytes key(Standing at) {
        return Keys.dispatchedPage(at.upstream(), PageForm.page(at.permit()));
    }
}
