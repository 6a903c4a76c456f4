package dev.weir.ingress;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.http.KnownJob;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.limit.QuotaExceeded;
import dev.weir.contracts.wire.JobStatus;
import io.javalin.http.Context;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/**
 * An answer, as a value: it is decided on one thread and written on another.
 *
 * @param body to be written as JSON; bytes are JSON already
 * @param location null when there is no job
 * @param retryAfterSeconds null when there is nothing to wait for
 * @param preferenceApplied what was done of what the client preferred; null when nothing was
 */
record Reply(
        int status,
        String mediaType,
        Object body,
        @Nullable String location,
        @Nullable Long retryAfterSeconds,
        @Nullable String preferenceApplied) {
    private Reply(
            int status, String mediaType, Object body, @Nullable String location, @Nullable Long retryAfterSeconds) {
        this(status, mediaType, body, location, retryAfterSeconds, null);
    }

    /** How long a client should wait when Weir cannot take its job right now. */
    static final long BUSY_RETRY_AFTER_SECONDS = 2;

    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record AcceptedJob(
            String id,
            JobStatus status,
            String upstream,
            Instant acceptedAt,
            @Nullable Instant eta) {}

    /** The problem of a job that would come too late, with the time as a field of its own for programs. */
    private record LateProblem(
            String type, String title, int status, String detail, List<Problem.FieldError> errors, Instant eta) {}

    /** The answer to a cancellation. */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record CancelledJob(String id, JobStatus status, String upstream) {
        static CancelledJob of(KnownJob job) {
            return new CancelledJob(job.id(), job.status(), job.upstream());
        }
    }

    /** The problem of a cancellation that came too late, with the job's own status as a field for programs. */
    private record TooLateProblem(String type, String title, int status, String detail, JobStatus jobStatus) {}

    static Reply accepted(String id, String upstream, Instant acceptedAt, @Nullable Instant eta, Instant now) {
        return new Reply(
                202,
                "application/json",
                new AcceptedJob(id, JobStatus.ACCEPTED, upstream, acceptedAt, eta),
                "/v1/jobs/" + id,
                EtaCheck.retryAfterSeconds(eta, now));
    }

    /** The job that was accepted; null in any other answer. */
    @Nullable
    String jobId() {
        return body instanceof AcceptedJob job ? job.id() : null;
    }

    /** The same submission's answer now that its job has ended. */
    Reply finished(byte[] job) {
        return new Reply(200, "application/json", job, location, null);
    }

    Reply preferenceApplied(@Nullable String applied) {
        return new Reply(status, mediaType, body, location, retryAfterSeconds, applied);
    }

    static Reply problem(Problem problem) {
        return new Reply(problem.status(), Problem.MEDIA_TYPE, problem, null, null);
    }

    static Reply problem(int status, String title, String detail) {
        return problem(Problem.of(status, title, detail));
    }

    static Reply exceeded(QuotaExceeded problem) {
        return new Reply(problem.status(), Problem.MEDIA_TYPE, problem, null, problem.retryAfter());
    }

    static Reply late(Instant eta) {
        Problem fields = Problem.fields(List.of(new Problem.FieldError(
                "/deadline",
                "the job would be called at " + eta + ", after its deadline; set a later one, or onLate to accept")));
        LateProblem body =
                new LateProblem(fields.type(), fields.title(), fields.status(), fields.detail(), fields.errors(), eta);
        return new Reply(422, Problem.MEDIA_TYPE, body, null, null);
    }

    static Reply otherBody() {
        return problem(
                422,
                "Idempotency-Key used before",
                "a job with this Idempotency-Key and another body was submitted before; that one stands, and this one was not"
                        + " taken");
    }

    static Reply unavailable(String detail) {
        return unavailable(detail, BUSY_RETRY_AFTER_SECONDS);
    }

    static Reply unavailable(String detail, long retryAfterSeconds) {
        Problem problem = Problem.of(503, "Service Unavailable", detail);
        return new Reply(503, Problem.MEDIA_TYPE, problem, null, retryAfterSeconds);
    }

    static Problem noUpstream(String name, Collection<String> known) {
        return Problem.of(
                404,
                "Unknown upstream",
                "there is no upstream \"" + ClientText.cut(name) + "\"; there is " + ClientText.listed(known));
    }

    /** When Kafka did not take it, 503; anything else is a fault, and thrown on. */
    static Reply notWritten(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        if (cause instanceof KafkaWriter.NotWritten) {
            return unavailable(String.valueOf(cause.getMessage()));
        }
        throw new CompletionException(cause);
    }

    static Reply ok(Object body) {
        return new Reply(200, "application/json", body, null, null);
    }

    /** Written, and not in force yet. */
    static Reply notYet(Object body, String location) {
        return new Reply(202, "application/json", body, location, 1L);
    }

    static Reply cancelled(KnownJob job) {
        return ok(CancelledJob.of(job));
    }

    /** The cancellation stands in Kafka, and the throttle has not come to it. */
    static Reply undecided(KnownJob job) {
        return notYet(CancelledJob.of(job), "/v1/jobs/" + job.id());
    }

    static Reply tooLate(KnownJob job) {
        String status = job.status().name().toLowerCase(Locale.ROOT);
        String detail = job.status().finished()
                ? "the job is " + status + " already; nothing was changed"
                : "the job's call was under way when the cancellation came, so it goes on (now " + status
                        + "); if it waits again, send the cancellation again";
        return new Reply(
                409,
                Problem.MEDIA_TYPE,
                new TooLateProblem("about:blank", "Too late to cancel", 409, detail, job.status()),
                null,
                null);
    }

    byte[] bytes() {
        return body instanceof byte[] json ? json : Json.bytes(body);
    }

    /** Everything but the body. */
    Context head(Context ctx) {
        if (location != null) {
            ctx.header("Location", location);
        }
        if (retryAfterSeconds != null) {
            ctx.header("Retry-After", Long.toString(retryAfterSeconds));
        }
        if (preferenceApplied != null) {
            ctx.header("Preference-Applied", preferenceApplied);
        }
        return ctx.status(status).contentType(mediaType);
    }
}
