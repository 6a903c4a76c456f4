package dev.weir.contracts.wire;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A job whose attempts are spent, or a record that could not be read. Topic {@code weir.dead-letters}, key: the job's id, or
 * the source topic's name for a record that names no job.
 *
 * @param reason why it is here, for a person
 * @param request the job itself; null for a record that could not be read
 * @param answerStatus the status of the upstream's last answer, when there was one
 * @param sourceTopic where an unreadable record stood, with partition and offset
 * @param sourceValueBase64 the unreadable record's bytes, cut to {@link #MAX_SOURCE_BYTES}
 */
public record DeadLetter(
        int v,
        @Nullable String jobId,
        String reason,
        int attempts,
        Instant at,
        @Nullable JobRequest request,
        @Nullable Integer answerStatus,
        @Nullable String sourceTopic,
        @Nullable Integer sourcePartition,
        @Nullable Long sourceOffset,
        @Nullable String sourceValueBase64) {
    public static final int VERSION = 1;
    public static final int MAX_SOURCE_BYTES = 64 * 1024;
}
