package dev.weir.throttler.topology;

import dev.weir.throttler.upstream.Job;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/** Jobs of one upstream whose permits are neighbours. */
final class JobPage extends PageForm<String, Job> {
    private static final byte VERSION = 1;

    private final FormWriter one = new FormWriter();

    JobPage() {
        super(VERSION, "a page of dispatched jobs", Job[]::new);
    }

    @Override
    Bytes key(String upstream, long page) {
        return Keys.dispatchedPage(upstream, page);
    }

    @Override
    void write(FormWriter out, int place, Job job) {
        JobForm.write(job, one);
        out.octet(place).block(one);
    }

    @Override
    @Nullable
    Job[] entries(byte[] page) {
        @Nullable Job[] jobs = none();
        FormReader in = reader(page);
        while (in.more()) {
            jobs[in.octet()] = JobForm.job(in.block());
        }
        return jobs;
    }
}
