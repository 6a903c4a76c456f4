package dev.weir.throttler.topology;

import static com.fasterxml.jackson.core.JsonToken.VALUE_NUMBER_INT;
import static com.fasterxml.jackson.core.JsonToken.VALUE_STRING;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.time.IsoInstants;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.Priority;
import dev.weir.throttler.upstream.Job;
import dev.weir.throttler.upstream.Submission;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;

/**
 * A job as it stands in its record. What is to be called, most of it, is checked and not taken apart: its bytes go into the
 * store and out with the permit as they came.
 */
final class RawSubmission implements Submission {
    private final int v;
    private final Job.Spec spec;
    private final @Nullable Instant notBefore;
    private final @Nullable String traceparent;
    private final byte[] value;
    /** Where in it the call begins, and where it ends. */
    private final int callFrom;

    private final int callTo;

    private RawSubmission(Reader read, Job.Spec spec) {
        this.v = read.v;
        this.spec = spec;
        this.notBefore = read.notBefore;
        this.traceparent = read.traceparent;
        this.value = read.value;
        this.callFrom = read.callFrom;
        this.callTo = read.callTo;
    }

    /**
     * Reads a {@link JobRequest}.
     *
     * @throws SerializationException when the bytes are none
     */
    static Submission read(byte[] value) {
        Submission plain = null;
        try (JsonParser json = Json.MAPPER.getFactory().createParser(value)) {
            plain = new Reader(value, json).read();
        } catch (IOException | DateTimeException e) {
            // It is read again below, by what can say what is wrong with it.
        }
        return plain != null ? plain : Submission.of(Json.read(value, JobRequest.class));
    }

    @Override
    public Job.Spec spec() {
        return spec;
    }

    @Override
    public @Nullable Instant notBefore() {
        return notBefore;
    }

    @Override
    public JobRequest request() {
        return Json.read(value, JobRequest.class);
    }

    int v() {
        return v;
    }

    @Nullable
    String traceparent() {
        return traceparent;
    }

    /** Writes the call's bytes as a block. */
    void call(FormWriter out) {
        out.block(value, callFrom, callTo);
    }

    /** Reads the form that Weir writes; anything else that a request may be is left to {@link Json#read}. */
    private static final class Reader {
        private final byte[] value;
        private final JsonParser json;
        private int v;
        private @Nullable String id;
        private @Nullable String tenant;
        private @Nullable String upstream;
        private @Nullable Priority priority;
        private @Nullable Instant notBefore;
        private @Nullable Instant deadline;
        private @Nullable Instant acceptedAt;
        private @Nullable String bodyHash;
        private @Nullable String traceparent;
        private int cost;
        private int callFrom;
        private int callTo;

        Reader(byte[] value, JsonParser json) {
            this.value = value;
            this.json = json;
        }

        /** Null when it has another form. */
        @Nullable
        Submission read() throws IOException {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return null;
            }
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                if (!field(name)) {
                    return null;
                }
            }
            if (json.currentToken() != JsonToken.END_OBJECT
                    || id == null
                    || tenant == null
                    || upstream == null
                    || priority == null
                    || acceptedAt == null
                    || bodyHash == null
                    || cost < 1
                    || callTo == 0) {
                return null;
            }
            Job.Spec spec = new Job.Spec(id, tenant, upstream, priority, cost, acceptedAt, deadline, bodyHash);
            return new RawSubmission(this, spec);
        }

        private boolean field(String name) throws IOException {
            switch (name) {
                case "v" -> v = number();
                case "cost" -> cost = number();
                case "request" -> {
                    return callTo == 0 && call();
                }
                case "id" -> id = text();
                case "tenant" -> tenant = text();
                case "upstream" -> upstream = text();
                case "priority" -> priority = priority();
                case "notBefore" -> notBefore = instant();
                case "deadline" -> deadline = instant();
                case "acceptedAt" -> acceptedAt = instant();
                case "bodyHash" -> bodyHash = text();
                case "traceparent" -> traceparent = text();
                default -> {
                    return false;
                }
            }
            return json.currentToken() == (name.equals("v") || name.equals("cost") ? VALUE_NUMBER_INT : VALUE_STRING);
        }

        /** What a {@code Call} must be, so that whoever gets the permit can read it. */
        private boolean call() throws IOException {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            callFrom = (int) json.currentTokenLocation().getByteOffset();
            int seen = 0;
            for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
                int bit = switch (name) {
                    case "method" -> 1;
                    case "path" -> 2;
                    case "headers" -> 4;
                    case "body", "bodyBase64" -> 8;
                    default -> 0;
                };
                if (bit == 0 || (seen & bit) != 0 || (bit == 4 ? !headers() : !isText())) {
                    return false;
                }
                seen |= bit;
            }
            callTo = (int) json.currentLocation().getByteOffset();
            return (seen & 7) == 7 && json.currentToken() == JsonToken.END_OBJECT;
        }

        private boolean headers() throws IOException {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                return false;
            }
            while (json.nextFieldName() != null) {
                if (!isText()) {
                    return false;
                }
            }
            return json.currentToken() == JsonToken.END_OBJECT;
        }

        private boolean isText() throws IOException {
            return json.nextToken() == VALUE_STRING;
        }

        private int number() throws IOException {
            return json.nextToken() == VALUE_NUMBER_INT ? json.getIntValue() : 0;
        }

        private @Nullable String text() throws IOException {
            return json.nextTextValue();
        }

        private @Nullable Priority priority() throws IOException {
            String text = text();
            return text == null
                    ? null
                    : switch (text) {
                        case "high" -> Priority.HIGH;
                        case "normal" -> Priority.NORMAL;
                        case "low" -> Priority.LOW;
                        default -> null;
                    };
        }

        private @Nullable Instant instant() throws IOException {
            String text = text();
            return text == null ? null : IsoInstants.parse(text);
        }
    }
}
