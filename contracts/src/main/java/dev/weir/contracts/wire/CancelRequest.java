package dev.weir.contracts.wire;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Objects;

/**
 * A client's wish that a job be not called any more. Topic {@code weir.requests}, key: the upstream's name, so that it stands
 * behind the job; a record header {@link #TYPE_HEADER} tells it from a {@link JobRequest}. The decision is the
 * {@link JobEvent} that carries its id.
 *
 * @param id of the cancellation itself, a UUID
 * @param tenant who asks; another's job is not touched
 */
public record CancelRequest(int v, String id, String jobId, String tenant, String upstream, Instant requestedAt) {
    public static final int VERSION = 1;
    public static final String TYPE_HEADER = "weir-type";
    private static final String TYPE = "cancel";

    public CancelRequest {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(jobId, "jobId");
        Objects.requireNonNull(tenant, "tenant");
        Objects.requireNonNull(upstream, "upstream");
        Objects.requireNonNull(requestedAt, "requestedAt");
    }

    /** The header's value. */
    public static byte[] type() {
        return TYPE.getBytes(StandardCharsets.UTF_8);
    }
}
