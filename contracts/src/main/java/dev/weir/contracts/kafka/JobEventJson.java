package dev.weir.contracts.kafka;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import java.io.IOException;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes job events, field by field: the throttle writes two or three of them for each job, more than of anything else, and
 * finding the fields by reflection takes twice as long.
 */
final class JobEventJson extends StdSerializer<JobEvent> {
    private static final SerializableString V = new SerializedString("v");
    private static final SerializableString ID = new SerializedString("id");
    private static final SerializableString TENANT = new SerializedString("tenant");
    private static final SerializableString UPSTREAM = new SerializedString("upstream");
    private static final SerializableString STATUS = new SerializedString("status");
    private static final SerializableString REVISION = new SerializedString("revision");
    private static final SerializableString ATTEMPTS = new SerializedString("attempts");
    private static final SerializableString PRIORITY = new SerializedString("priority");
    private static final SerializableString LANE = new SerializedString("lane");
    private static final SerializableString LANE_SEQ = new SerializedString("laneSeq");
    private static final SerializableString LANE_COST = new SerializedString("laneCost");
    private static final SerializableString ACCEPTED_AT = new SerializedString("acceptedAt");
    private static final SerializableString UPDATED_AT = new SerializedString("updatedAt");
    private static final SerializableString DUE_AT = new SerializedString("dueAt");
    private static final SerializableString FINISHED_AT = new SerializedString("finishedAt");
    private static final SerializableString ERROR = new SerializedString("error");
    private static final SerializableString ANSWERED = new SerializedString("answered");
    private static final SerializableString BODY_HASH = new SerializedString("bodyHash");
    private static final SerializableString CANCEL = new SerializedString("cancel");
    private static final SerializableString COST = new SerializedString("cost");
    private static final SerializableString AGAIN = new SerializedString("again");

    private static final Map<JobStatus, SerializableString> STATUSES = names(JobStatus.class);
    private static final Map<Priority, SerializableString> PRIORITIES = names(Priority.class);

    JobEventJson() {
        super(JobEvent.class);
    }

    @Override
    public void serialize(JobEvent event, JsonGenerator json, SerializerProvider all) throws IOException {
        write(event, json);
    }

    static void write(JobEvent event, JsonGenerator json) throws IOException {
        json.writeStartObject();
        number(json, V, event.v());
        text(json, ID, event.id());
        text(json, TENANT, event.tenant());
        text(json, UPSTREAM, event.upstream());
        json.writeFieldName(STATUS);
        json.writeString(STATUSES.get(event.status()));
        number(json, REVISION, event.revision());
        number(json, ATTEMPTS, event.attempts());
        json.writeFieldName(PRIORITY);
        json.writeString(PRIORITIES.get(event.priority()));
        text(json, LANE, event.lane());
        number(json, LANE_SEQ, event.laneSeq());
        number(json, LANE_COST, event.laneCost());
        instant(json, ACCEPTED_AT, event.acceptedAt());
        instant(json, UPDATED_AT, event.updatedAt());
        instant(json, DUE_AT, event.dueAt());
        instant(json, FINISHED_AT, event.finishedAt());
        text(json, ERROR, event.error());
        json.writeFieldName(ANSWERED);
        json.writeBoolean(event.answered());
        text(json, BODY_HASH, event.bodyHash());
        text(json, CANCEL, event.cancel());
        number(json, COST, event.cost());
        if (event.again() != null) {
            json.writeFieldName(AGAIN);
            json.writeBoolean(event.again());
        }
        json.writeEndObject();
    }

    private static void text(JsonGenerator json, SerializableString name, @Nullable String value) throws IOException {
        if (value != null) {
            json.writeFieldName(name);
            json.writeString(value);
        }
    }

    private static void number(JsonGenerator json, SerializableString name, long value) throws IOException {
        json.writeFieldName(name);
        json.writeNumber(value);
    }

    private static void number(JsonGenerator json, SerializableString name, @Nullable Long value) throws IOException {
        if (value != null) {
            number(json, name, value.longValue());
        }
    }

    private static void instant(JsonGenerator json, SerializableString name, @Nullable Instant value)
            throws IOException {
        if (value != null) {
            json.writeFieldName(name);
            Json.write(value, json);
        }
    }

    /** As the records' annotations name them. */
    private static <E extends Enum<E>> Map<E, SerializableString> names(Class<E> type) {
        Map<E, SerializableString> names = new EnumMap<>(type);
        for (E constant : type.getEnumConstants()) {
            names.put(constant, new SerializedString(constant.name().toLowerCase(Locale.ROOT)));
        }
        return names;
    }
}
