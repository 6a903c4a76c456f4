package dev.weir.throttler.simulation;

import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import org.jspecify.annotations.Nullable;

/** What the contract says of an answer, once more. */
record ReferenceVerdict(Kind kind, @Nullable Long retryAfter) {
    enum Kind {
        SUCCESS,
        PUSHBACK,
        FAILURE,
        REJECTED,
        REFUSED,
        RETURNED
    }

    static ReferenceVerdict of(Outcome outcome, long now) {
        Answer answer = outcome.answer();
        if (answer == null) {
            return new ReferenceVerdict(
                    switch (outcome.kind()) {
                        case RETURNED -> Kind.RETURNED;
                        case REFUSED -> Kind.REFUSED;
                        default -> Kind.FAILURE;
                    },
                    null);
        }
        Long retryAfter = retryAfter(answer.header("retry-after"), now);
        return switch (answer.status()) {
            case 200 -> new ReferenceVerdict(Kind.SUCCESS, null);
            case 429 -> new ReferenceVerdict(Kind.PUSHBACK, retryAfter);
            case 503 -> new ReferenceVerdict(retryAfter == null ? Kind.FAILURE : Kind.PUSHBACK, retryAfter);
            case 400 -> new ReferenceVerdict(Kind.REJECTED, null);
            default -> new ReferenceVerdict(Kind.FAILURE, null);
        };
    }

    private static @Nullable Long retryAfter(@Nullable String header, long now) {
        if (header == null) {
            return null;
        }
        return header.endsWith("GMT")
                ? Math.max(
                        0,
                        EpochNanos.of(ZonedDateTime.parse(header, DateTimeFormatter.RFC_1123_DATE_TIME)
                                        .toInstant())
                                - now)
                : Long.parseLong(header) * Agenda.SECOND;
    }
}
