package dev.weir.ingress;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.JobStatus;
import io.javalin.http.Context;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An answer to a submission, as a value: it is decided on one thread and written on another.
 *
 * @param body to be written as JSON
 * @param location null when there is no job
 * @param retryAfterSeconds null when there is nothing to wait for
 */
record Reply(
        int status,
        String mediaType,
        Object body,
        @Nullable String location,
        @Nullable Long retryAfterSeconds) {
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

    static Reply accepted(String id, String upstream, Instant acceptedAt, @Nullable Instant eta, Instant now) {
        return new Reply(
                202,
                "application/json",
                new AcceptedJob(id, JobStatus.ACCEPTED, upstream, acceptedAt, eta),
                "/v1/jobs/" + id,
                EtaCheck.retryAfterSeconds(eta, now));
    }

    static Reply problem(Problem problem) {
        return new Reply(problem.status(), Problem.MEDIA_TYPE, problem, null, null);
    }

    static Reply problem(int status, String title, String detail) {
        return problem(Problem.of(status, title, detail));
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
        Problem problem = Problem.of(503, "Service Unavailable", detail);
        return new Reply(503, Problem.MEDIA_TYPE, problem, null, BUSY_RETRY_AFTER_SECONDS);
    }

    void write(Context ctx) {
        if (location != null) {
            ctx.header("Location", location);
        }
        if (retryAfterSeconds != null) {
            ctx.header("Retry-After", Long.toString(retryAfterSeconds));
        }
        ctx.status(status).contentType(mediaType).result(Json.bytes(body));
    }
}
