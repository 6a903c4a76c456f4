package dev.weir.throttler.topology;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Submission;
import java.nio.ByteBuffer;
import java.time.Instant;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * How jobs are kept. A request stands in one record with the first state of its job; from the next change on the job has a
 * record of its own, or a place on a {@link JobPage} while its call is under way, so that what is to be called, which may be large,
 * is written once. When the job has ended, the record of its request holds nothing but that.
 */
final class JobForm {
    private static final byte VERSION = 2;
    private static final byte OPEN = 1;
    private static final byte END = 2;

    private JobForm() {}

    static byte[] bytes(Job job) {
        FormWriter out = new FormWriter();
        write(job, out);
        return out.bytes();
    }

    /** As a value of its own: what was written before is gone. */
    static void write(Job job, FormWriter out) {
        out.begin(VERSION);
        spec(out, job.spec());
        state(out, job);
    }

    static Job job(byte[] bytes) {
        FormReader in = new FormReader(bytes, VERSION, "a job");
        return state(in, spec(in));
    }

    /**
     * @param job the submission's, in its first state
     * @param out writes it
     */
    static byte[] bytes(Submission submission, Job job, FormWriter out) {
        if (submission instanceof RawSubmission raw) {
            open(raw.v(), raw.notBefore(), raw.traceparent(), out);
            raw.call(out);
        } else {
            JobRequest request = submission.request();
            open(request.v(), request.notBefore(), request.traceparent(), out);
            out.block(Json.bytes(request.request()));
        }
        spec(out, job.spec());
        state(out, job);
        return out.bytes();
    }

    private static void open(int v, @Nullable Instant notBefore, @Nullable String traceparent, FormWriter out) {
        out.begin(VERSION).octet(OPEN).number(v).maybe(notBefore).maybe(traceparent);
    }

    /** What stands in the place of its request. */
    static byte[] end(Job ended) {
        FormWriter out = new FormWriter(VERSION).octet(END);
        spec(out, ended.spec());
        state(out, ended);
        return out.bytes();
    }

    /** What a job asks for, as it goes out: the call as JSON, just as it came, in the array that the store gave. */
    record Asked(
            int v, @Nullable Instant notBefore, @Nullable String traceparent, ByteBuffer call) {}

    /**
     * What stands under a request's key.
     *
     * @param job in its first state, or as it ended
     * @param asked null when it has ended
     */
    record Stored(Job job, @Nullable Asked asked) {
        /** Null when the job has ended. */
        @Nullable
        JobRequest request() {
            if (asked == null) {
                return null;
            }
            Job.Spec spec = job.spec();
            return new JobRequest(
                    asked.v(),
                    spec.id(),
                    spec.tenant(),
                    spec.upstream(),
                    Json.read(Utils.toArray(asked.call()), Call.class),
                    spec.priority(),
                    asked.notBefore(),
                    spec.deadline(),
                    spec.cost(),
                    spec.acceptedAt(),
                    spec.bodyHash(),
                    asked.traceparent());
        }
    }

    static Stored stored(byte[] bytes) {
        FormReader in = new FormReader(bytes, VERSION, "a job's request");
        Asked asked = in.octet() == END ? null : new Asked(in.small(), in.maybeInstant(), in.maybeText(), in.slice());
        return new Stored(state(in, spec(in)), asked);
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
