package dev.weir.throttler.topology;

import dev.weir.throttler.upstream.Job;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.jspecify.annotations.Nullable;

/**
 * Jobs whose call is under way. They stand on pages by the numbers of their permits: neighbours go out together, and most come
 * back together, so that many share a write. Which job has which permit is known in memory, for as many as are in flight. Not
 * thread-safe.
 */
final class DispatchedJobs {
    /** Held as objects: what a dozen upstreams have in flight at a time, as most are set. */
    static final int MOST_PAGES = 256;

    private final Pages<String, Job> pages;
    private final Map<String, Standing> standing = new HashMap<>();

    /** @param revision in which it was dispatched */
    private record Standing(String upstream, long permit, long revision) {}

    /** Finds those of an earlier run. */
    DispatchedJobs(HeadWrites heads) {
        JobPage form = new JobPage();
        pages = new Pages<>(heads, form, MOST_PAGES);
        try (KeyValueIterator<Bytes, byte[]> written =
                heads.range(Keys.start(Keys.DISPATCHED_PAGE), Keys.end(Keys.DISPATCHED_PAGE))) {
            while (written.hasNext()) {
                for (Job job : form.entries(written.next().value)) {
                    if (job != null) {
                        standing.put(job.id(), standing(job));
                    }
                }
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
        Job job = pages.get(at.upstream(), at.permit());
        if (job == null || !job.id().equals(id)) {
            throw new IllegalStateException("job " + id + " is under way with permit " + at.permit() + " of "
                    + at.upstream() + ", but the store does not have it there");
        }
        return job;
    }

    void put(Job job) {
        Standing at = standing(job);
        if (standing.put(job.id(), at) == null) {
            // Permits are given in the order of their numbers.
            pages.add(at.upstream(), at.permit(), job);
        } else {
            pages.put(at.upstream(), at.permit(), job);
        }
    }

    /** The revision in which it was dispatched; 0 for one that is not under way. */
    long remove(String id) {
        Standing at = standing.remove(id);
        if (at == null) {
            return 0;
        }
        pages.remove(at.upstream(), at.permit());
        return at.revision();
    }

    private static Standing standing(Job job) {
        Long permit = job.place().permit();
        if (permit == null) {
            throw new IllegalStateException("job " + job.id() + " is dispatched without a permit");
        }
        return new Standing(job.upstream(), permit, job.revision());
    }
}
