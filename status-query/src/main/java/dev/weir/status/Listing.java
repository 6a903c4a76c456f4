package dev.weir.status;

import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.apache.kafka.common.utils.Bytes;

/**
 * The keys and values of the index by tenant and time of acceptance, newest first: tenant, zero, inverted epoch
 * milliseconds, id → status and upstream. A job keeps its key for life, so that a reader's place stays where it is. There
 * is no index by status: jobs pass through all but the last one, and a scan would have to walk over everyone who ever did.
 */
final class Listing {
    private Listing() {}

    /** A place in the order of a tenant's jobs: the newer first, then by id. */
    record Place(long epochMs, String id) implements Comparable<Place> {
        @Override
        public int compareTo(Place other) {
            int byTime = Long.compare(other.epochMs, epochMs);
            return byTime != 0 ? byTime : id.compareTo(other.id);
        }
    }

    /** What an entry says. */
    record Entry(String tenant, Place place, JobStatus status, String upstream) {}

    static Bytes key(JobEvent job) {
        return key(job.tenant(), place(job));
    }

    static Place place(JobEvent job) {
        return new Place(ms(job.acceptedAt()), job.id());
    }

    static byte[] value(JobEvent job) {
        return (job.status().name() + ' ' + job.upstream()).getBytes(StandardCharsets.UTF_8);
    }

    static Bytes key(String tenant, Place place) {
        byte[] tenantBytes = tenant.getBytes(StandardCharsets.UTF_8);
        byte[] idBytes = place.id().getBytes(StandardCharsets.UTF_8);
        return Bytes.wrap(ByteBuffer.allocate(tenantBytes.length + 1 + Long.BYTES + idBytes.length)
                .put(tenantBytes)
                .put((byte) 0)
                .putLong(Long.MAX_VALUE - place.epochMs())
                .put(idBytes)
                .array());
    }

    /** Behind every key of the tenant. */
    static Bytes behind(String tenant) {
        byte[] tenantBytes = tenant.getBytes(StandardCharsets.UTF_8);
        return Bytes.wrap(ByteBuffer.allocate(tenantBytes.length + 1)
                .put(tenantBytes)
                .put((byte) 1)
                .array());
    }

    static String tenant(Bytes key) {
        return new String(key.get(), 0, tenantEnd(key.get()), StandardCharsets.UTF_8);
    }

    static Place place(Bytes key) {
        byte[] bytes = key.get();
        int at = tenantEnd(bytes) + 1;
        long epochMs = Long.MAX_VALUE - ByteBuffer.wrap(bytes).getLong(at);
        int idStart = at + Long.BYTES;
        return new Place(epochMs, new String(bytes, idStart, bytes.length - idStart, StandardCharsets.UTF_8));
    }

    private static int tenantEnd(byte[] key) {
        int end = 0;
        while (key[end] != 0) {
            end++;
        }
        return end;
    }

    static Entry entry(Bytes key, byte[] value) {
        String text = new String(value, StandardCharsets.UTF_8);
        int space = text.indexOf(' ');
        return new Entry(
                tenant(key), place(key), JobStatus.valueOf(text.substring(0, space)), text.substring(space + 1));
    }

    /** A time before 1970 would break the order, and is no time of a job. */
    static long ms(Instant instant) {
        return Math.max(0, instant.toEpochMilli());
    }
}
