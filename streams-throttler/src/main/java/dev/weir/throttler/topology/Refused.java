package dev.weir.throttler.topology;

import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.processor.api.RecordMetadata;
import org.jspecify.annotations.Nullable;

/** What is told of a record or a job that no throttle here takes. */
final class Refused {
    private Refused() {}

    /** A record that cannot be used, with as much of it as fits. */
    static DeadLetter letter(
            Record<String, byte[]> record, @Nullable RecordMetadata source, String reason, Instant at) {
        byte[] value = record.value();
        String kept = null;
        if (value != null) {
            byte[] cut = Arrays.copyOf(value, Math.min(value.length, DeadLetter.MAX_SOURCE_BYTES));
            kept = Base64.getEncoder().encodeToString(cut);
        }
        return new DeadLetter(
                DeadLetter.VERSION,
                null,
                reason,
                0,
                at,
                null,
                null,
                source == null ? "" : source.topic(),
                source == null ? null : source.partition(),
                source == null ? null : source.offset(),
                kept);
    }

    /** An accepted job that nobody here can call. */
    static DeadLetter letter(JobRequest request, String reason, Instant at) {
        return new DeadLetter(DeadLetter.VERSION, request.id(), reason, 0, at, request, null, null, null, null, null);
    }

    /** Its end. */
    static JobEvent end(JobRequest request, String reason, Instant at) {
        return new JobEvent(
                JobEvent.VERSION,
                request.id(),
                request.tenant(),
                request.upstream(),
                JobStatus.DEAD,
                1,
                0,
                request.priority(),
                null,
                null,
                null,
                request.acceptedAt(),
                at,
                null,
                at,
                reason,
                false,
                request.bodyHash(),
                null,
                request.cost(),
                null);
    }
}
