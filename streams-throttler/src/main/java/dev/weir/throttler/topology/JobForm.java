package dev.weir.throttler.topology;

import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.throttler.upstream.Job;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How jobs are kept. A request stands in one record with the first state of its job; from the next change on the job has a
 * record of its own, so that what is to be called, which may be large, is written once. When the job has ended, the record of
 * its request holds nothing but that.
 */
final class JobForm {
    private static final byte VERSION = 1;
    private static final byte STATE = 1;
    private static final byte END = 2;

    private JobForm() {}

    static byte[] bytes(Job job) {
        FormWriter out = new FormWriter(VERSION);
        spec(out, job.spec());
        state(out, job);
        return out.bytes();
    }

    static Job job(byte[] bytes) {
        FormReader in = new FormReader(bytes, VERSION, "a job");
        return state(in, spec(in));
    }

    /** @param job the request's, in its first state */
    static byte[] bytes(JobRequest request, Job job) {
        FormWriter out = new FormWriter(VERSION);
        spec(out, job.spec());
        state(out.octet(STATE), job);
        out.number(request.v()).maybe(request.notBefore()).maybe(request.traceparent());
        Call call = request.request();
        out.text(call.method()).text(call.path()).number(call.headers().size());
        call.headers().forEach((name, value) -> out.text(name).text(value));
        return out.maybe(call.body()).maybe(call.bodyBase64()).bytes();
    }

    /** What stands in the place of its request. */
    static byte[] end(Job ended) {
        FormWriter out = new FormWriter(VERSION);
        spec(out, ended.spec());
        state(out.octet(END), ended);
        return out.bytes();
    }

    /** The state that stands with a request, or in its place. */
    static Job submitted(byte[] bytes) {
        FormReader in = requestReader(bytes);
        Job.Spec spec = spec(in);
        in.octet();
        return state(in, spec);
    }

    /** Null when the job has ended. */
    static @Nullable JobRequest request(byte[] bytes) {
        FormReader in = requestReader(bytes);
        Job.Spec spec = spec(in);
        if (in.octet() == END) {
            return null;
        }
        state(in, spec);
        int v = in.small();
        var notBefore = in.maybeInstant();
        String traceparent = in.maybeText();
        return new JobRequest(
                v,
                spec.id(),
                spec.tenant(),
                spec.upstream(),
                call(in),
                spec.priority(),
                notBefore,
                spec.deadline(),
                spec.cost(),
                spec.acceptedAt(),
                spec.bodyHash(),
                traceparent);
    }

    private static FormReader requestReader(byte[] bytes) {
        return new FormReader(bytes, VERSION, "a job's request");
    }

    private static Call call(FormReader in) {
        String method = in.text();
        String path = in.text();
        int count = in.small();
        Map<String, String> headers = new HashMap<>();
        for (int i = 0; i < count; i++) {
            headers.put(in.text(), in.text());
        }
        return new Call(method, path, headers, in.maybeText(), in.maybeText());
    }

    private static void spec(FormWriter out, Job.Spec spec) {
        out.id(spec.id())
                .text(spec.tenant())
                .text(spec.upstream())
                .priority(spec.priority())
                .number(spec.cost())
                .instant(spec.acceptedAt())
                .maybe(spec.deadline())
                .text(spec.bodyHash());
    }

    private static Job.Spec spec(FormReader in) {
        return new Job.Spec(
                in.id(), in.text(), in.text(), in.priority(), in.small(), in.instant(), in.maybeInstant(), in.text());
    }

    private static void state(FormWriter out, Job job) {
        Job.Tally tally = job.tally();
        Job.Place place = job.place();
        out.octet(code(job.status()))
                .number(job.revision())
                .number(tally.attempts())
                .number(tally.failures())
                .number(tally.pushbacks())
                .number(tally.doubts())
                .maybe(place.lane())
                .maybe(place.number())
                .maybe(place.permit())
                .maybe(place.slot())
                .maybe(place.dueAt())
                .maybe(job.cancel());
    }

    private static Job state(FormReader in, Job.Spec spec) {
        JobStatus status = status(in.octet());
        long revision = in.number();
        Job.Tally tally = new Job.Tally(in.small(), in.small(), in.small(), in.small());
        Job.Place place =
                new Job.Place(in.maybeText(), in.maybeSigned(), in.maybeSigned(), in.maybeInstant(), in.maybeInstant());
        return new Job(Job.VERSION, spec, status, revision, tally, place, in.maybeText());
    }

    /** Never changed: it is part of stored values. */
    private static int code(JobStatus status) {
        return switch (status) {
            case ACCEPTED -> 0;
            case SCHEDULED -> 1;
            case QUEUED -> 2;
            case DISPATCHED -> 3;
            case RETRYING -> 4;
            case SUCCEEDED -> 5;
            case DEAD -> 6;
            case CANCELLED -> 7;
            case EXPIRED -> 8;
        };
    }

    private static JobStatus status(int code) {
        for (JobStatus status : JobStatus.values()) {
            if (code(status) == code) {
                return status;
            }
        }
        throw new IllegalStateException("a job in the store has the status " + code + ", which is none");
    }
}
