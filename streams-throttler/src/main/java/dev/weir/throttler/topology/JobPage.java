package dev.weir.throttler.topology;

import dev.weir.throttler.upstream.Job;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Jobs whose permits are neighbours. */
final class JobPage {
    private static final byte VERSION = 1;
    private static final PageForm FORM = new PageForm(VERSION, "a page of dispatched jobs", FormReader::skipBlock);

    private JobPage() {}

    static byte[] with(byte @Nullable [] page, long permit, Job job) {
        return FORM.with(page, permit)
                .octet(PageForm.place(permit))
                .block(JobForm.bytes(job))
                .bytes();
    }

    static @Nullable Job job(byte[] page, long permit) {
        FormReader in = FORM.at(page, permit);
        return in == null ? null : read(in);
    }

    static byte @Nullable [] without(byte[] page, long permit) {
        return FORM.without(page, permit);
    }

    static List<Job> jobs(byte[] page) {
        List<Job> jobs = new ArrayList<>();
        FormReader in = FORM.reader(page);
        while (in.more()) {
            jobs.add(read(in));
        }
        return jobs;
    }

    private static Job read(FormReader in) {
        in.octet();
        return JobForm.job(in.block());
    }
}
