package dev.weir.throttler.testing;

import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Priority;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A job to submit: tenant {@code local}, normal priority, cost 1, at once, unless said otherwise. Not thread-safe. */
public final class Submission {
    private static final Call CALL = new Call("POST", "/x", Map.of(), "{}", null);

    private final ThrottleHarness harness;
    private @Nullable String upstream;
    private @Nullable String id;
    private String tenant = "local";
    private Priority priority = Priority.NORMAL;
    private int cost = 1;
    private @Nullable Instant notBefore;
    private @Nullable Instant deadline;
    private Call call = CALL;
    private String bodyHash = "hash";

    Submission(ThrottleHarness harness) {
        this.harness = harness;
    }

    /** The only one unless set. */
    public Submission upstream(String name) {
        upstream = name;
        return this;
    }

    /** {@code job-1}, {@code job-2}… unless set. */
    public Submission id(String newId) {
        id = newId;
        return this;
    }

    public Submission tenant(String name) {
        tenant = name;
        return this;
    }

    public Submission priority(Priority newPriority) {
        priority = newPriority;
        return this;
    }

    public Submission cost(int permits) {
        cost = permits;
        return this;
    }

    public Submission notBefore(Instant time) {
        notBefore = time;
        return this;
    }

    /** Not before so long from now. */
    public Submission notBefore(Duration fromNow) {
        return notBefore(harness.now().plus(fromNow));
    }

    public Submission deadline(Instant time) {
        deadline = time;
        return this;
    }

    /** So long from now. */
    public Submission deadline(Duration fromNow) {
        return deadline(harness.now().plus(fromNow));
    }

    public Submission call(Call newCall) {
        call = newCall;
        return this;
    }

    /** Tells the same submission again from another one under the same id. */
    public Submission bodyHash(String hash) {
        bodyHash = hash;
        return this;
    }

    /** Puts it into the topic. */
    public JobRequest submit() {
        JobRequest request = new JobRequest(
                JobRequest.VERSION,
                id == null ? harness.nextId() : id,
                tenant,
                upstream == null ? harness.upstream() : upstream,
                call,
                priority,
                notBefore,
                deadline,
                cost,
                harness.now(),
                bodyHash,
                null);
        harness.send(request);
        return request;
    }

    /** So many of them, each with an id of its own. */
    public List<JobRequest> submit(int jobs) {
        if (id != null) {
            throw new IllegalStateException("only one job can have the id " + id);
        }
        List<JobRequest> all = new ArrayList<>(jobs);
        for (int i = 0; i < jobs; i++) {
            all.add(submit());
        }
        return all;
    }
}
