package dev.weir.contracts.kafka;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.Module;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.weir.contracts.time.IsoInstants;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;

/**
 * Weir's records as UTF-8 JSON: instants and durations as ISO-8601, to the nanosecond, nulls left out, unknown fields passed
 * over (a newer writer may add some). Thread-safe.
 */
public final class Json {
    /** The mapper of every record on the wire and in the stores. */
    public static final ObjectMapper MAPPER = JsonMapper.builder()
            .addModule(new JavaTimeModule())
            .addModule(records())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .defaultPropertyInclusion(JsonInclude.Value.ALL_NON_NULL)
            .build();

    private Json() {}

    private static Module records() {
        return new SimpleModule("records")
                .addSerializer(new JobEventJson())
                .addSerializer(Instant.class, new StdSerializer<>(Instant.class) {
                    @Override
                    public void serialize(Instant instant, JsonGenerator json, SerializerProvider all)
                            throws IOException {
                        write(instant, json);
                    }
                })
                .addDeserializer(Instant.class, new StdDeserializer<>(Instant.class) {
                    @Override
                    public Instant deserialize(JsonParser parser, DeserializationContext context) throws IOException {
                        if (parser.currentToken() != JsonToken.VALUE_STRING) {
                            return (Instant) context.handleUnexpectedToken(Instant.class, parser);
                        }
                        String text = parser.getText();
                        try {
                            return IsoInstants.parse(text);
                        } catch (DateTimeException e) {
                            return (Instant) context.handleWeirdStringValue(Instant.class, text, e.getMessage());
                        }
                    }
                });
    }

    /** Writes an instant as a record has it. */
    public static void write(Instant instant, JsonGenerator json) throws IOException {
        char[] text = new char[IsoInstants.MOST_CHARS];
        int length = IsoInstants.write(instant, text);
        if (length == 0) {
            json.writeString(instant.toString());
        } else {
            json.writeString(text, 0, length);
        }
    }

    public static byte[] bytes(Object value) {
        try {
            return MAPPER.writeValueAsBytes(value);
        } catch (JsonProcessingException e) {
            throw new SerializationException(
                    "cannot write a " + value.getClass().getSimpleName() + " as JSON", e);
        }
    }

    /** @throws SerializationException when the bytes are no such record */
    public static <T> T read(byte[] bytes, Class<T> type) {
        try {
            T value = MAPPER.readValue(bytes, type);
            if (value == null) {
                throw new SerializationException("JSON null where a " + type.getSimpleName() + " was expected");
            }
            return value;
        } catch (IOException | IllegalArgumentException e) {
            throw new SerializationException("not a readable " + type.getSimpleName() + ": " + e.getMessage(), e);
        }
    }

    /** The serde of a record type; a null value (a tombstone) stays null. */
    public static <T> Serde<T> serde(Class<T> type) {
        Serializer<T> serializer = (topic, value) -> value == null ? null : bytes(value);
        Deserializer<T> deserializer = (topic, bytes) -> bytes == null ? null : read(bytes, type);
        return Serdes.serdeFrom(serializer, deserializer);
    }
}
