package dev.weir.dispatcher;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An outcome as a row of {@code results}, with nothing in it that PostgreSQL cannot hold.
 *
 * @param day of the slot, in UTC
 * @param headers as JSON
 */
record ResultRow(
        UUID job, LocalDate day, Outcome outcome, @Nullable String headers) {
    private static final int OVERHEAD_BYTES = 256;
    private static final Logger LOG = LoggerFactory.getLogger(ResultRow.class);

    /** Null, and logged, when the outcome can have no row. */
    static @Nullable ResultRow of(Outcome outcome) {
        Answer answer = outcome.answer();
        try {
            ResultRow row = new ResultRow(
                    UUID.fromString(outcome.jobId()),
                    LocalDate.ofInstant(outcome.slot(), ZoneOffset.UTC),
                    outcome,
                    answer == null ? null : headers(answer.headers()));
            row.body();
            return row;
        } catch (IllegalArgumentException | DateTimeException | JsonProcessingException e) {
            LOG.error(
                    "job {} attempt {} of {} has a result that cannot be a row; it is left out there and stays in"
                            + " weir.outcomes: {}",
                    outcome.jobId(),
                    outcome.attempt(),
                    outcome.upstream(),
                    e.getMessage());
            return null;
        }
    }

    String key() {
        return job + "/" + outcome.attempt();
    }

    /** The one that stands, of two for the same attempt: the rule is the statement's own. */
    ResultRow orNewer(ResultRow later) {
        if (outcome.permit() != later.outcome.permit()) {
            return outcome.permit() > later.outcome.permit() ? this : later;
        }
        return outcome.answer() != null ? this : later;
    }

    /** About what it takes in memory and on its way. */
    int bytes() {
        Answer answer = outcome.answer();
        return OVERHEAD_BYTES
                + length(headers)
                + (answer == null ? 0 : length(answer.body()) + length(answer.bodyBase64()));
    }

    /** Made anew each time, so that the rows that wait are held once. */
    byte @Nullable [] body() {
        Answer answer = outcome.answer();
        if (answer == null) {
            return null;
        }
        if (answer.body() != null) {
            return answer.body().getBytes(StandardCharsets.UTF_8);
        }
        return answer.bodyBase64() == null ? null : Base64.getDecoder().decode(answer.bodyBase64());
    }

    @Nullable
    Answer answer() {
        return outcome.answer();
    }

    /** PostgreSQL takes neither NUL nor half a surrogate pair in text and jsonb. */
    static @Nullable String clean(@Nullable String text) {
        if (text == null) {
            return null;
        }
        String readable = new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
        return readable.replace('\0', '\uFFFD');
    }

    private static int length(@Nullable String text) {
        return text == null ? 0 : text.length();
    }

    private static String headers(Map<String, String> headers) throws JsonProcessingException {
        Map<@Nullable String, @Nullable String> clean = new LinkedHashMap<>();
        headers.forEach((name, value) -> clean.put(clean(name), clean(value)));
        return Json.MAPPER.writeValueAsString(clean);
    }
}
