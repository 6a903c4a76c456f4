package dev.weir.contracts.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Priority;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class JobEventJsonTest {
    private static final Instant AT = Instant.parse("2026-11-22T10:00:00Z");
    /** Finds a record's fields by itself. */
    private static final ObjectMapper PLAIN = JsonMapper.builder()
            .addModule(new JavaTimeModule())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .defaultPropertyInclusion(JsonInclude.Value.ALL_NON_NULL)
            .build();

    @Test
    void shouldWriteEveryFieldOfTheRecord_asJacksonWould() throws Exception {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 2000; i++) {
            JobEvent event = event(random);

            String written = new String(Json.bytes(event), StandardCharsets.UTF_8);

            assertThat(written).as("seed %d", seed).isEqualTo(PLAIN.writeValueAsString(event));
            assertThat(Json.read(Json.bytes(event), JobEvent.class)).isEqualTo(event);
        }
    }

    private static JobEvent event(SplittableRandom random) {
        return new JobEvent(
                JobEvent.VERSION,
                "id-" + random.nextInt(),
                "größer \"" + random.nextInt(),
                "api",
                JobStatus.values()[random.nextInt(JobStatus.values().length)],
                random.nextLong(1L << 40),
                random.nextInt(9),
                Priority.values()[random.nextInt(Priority.values().length)],
                random.nextBoolean() ? null : "lane\n",
                random.nextBoolean() ? null : random.nextLong(),
                random.nextBoolean() ? null : random.nextLong(),
                AT.plusNanos(random.nextLong(1L << 50)),
                AT.plusSeconds(random.nextLong(1L << 30)),
                random.nextBoolean() ? null : AT.plusMillis(random.nextLong(1L << 40)),
                random.nextBoolean() ? null : Instant.MAX,
                random.nextBoolean() ? null : "an error \\ \u0007",
                random.nextBoolean(),
                "hash",
                random.nextBoolean() ? null : "cancel",
                1 + random.nextInt(100),
                random.nextBoolean() ? null : random.nextBoolean());
    }
}
