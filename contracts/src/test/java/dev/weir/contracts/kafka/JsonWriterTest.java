package dev.weir.contracts.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import java.time.Instant;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JsonWriterTest {
    private final JsonWriter writer = new JsonWriter();

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 7_900, 8_000, 300_000})
    void shouldWriteOneRecordAfterTheOther_whateverTheirSize(int size) {
        for (int i = 0; i < 3; i++) {
            JobEvent event = event("e".repeat(size) + i);

            assertThat(new String(writer.bytes(event), UTF_8)).isEqualTo(new String(Json.bytes(event), UTF_8));
            assertThat(new String(writer.bytes(json -> json.writeRawValue("[" + " ".repeat(size) + "]")), UTF_8))
                    .hasSize(size + 2);
        }
    }

    @Test
    void shouldWriteTheNextRecord_whenOneWasLeftUnfinished() {
        assertThatThrownBy(() -> writer.bytes(json -> {
                    json.writeStartObject();
                    json.writeString("a value without a name");
                }))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("expecting field name");

        assertThat(writer.bytes(event("an error"))).isEqualTo(Json.bytes(event("an error")));
    }

    private static JobEvent event(String error) {
        Instant at = Instant.parse("2026-11-22T10:00:00Z");
        return new JobEvent(
                JobEvent.VERSION,
                "id",
                "tenant",
                "api",
                JobStatus.DEAD,
                1,
                0,
                Priority.LOW,
                null,
                null,
                null,
                at,
                at,
                null,
                at,
                error,
                false,
                "hash",
                null,
                1,
                null);
    }
}
