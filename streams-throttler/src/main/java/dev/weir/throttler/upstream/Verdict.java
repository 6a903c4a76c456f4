package dev.weir.throttler.upstream;

import dev.weir.contracts.wire.Answer;
import dev.weir.contracts.wire.Outcome;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What an outcome means for its job.
 *
 * @param retryAfter what the upstream asked for, when it pushed back
 * @param reason for a person; null when the call succeeded
 */
record Verdict(
        Kind kind, @Nullable Duration retryAfter, @Nullable String reason) {
    enum Kind {
        SUCCESS,
        /** The upstream has enough for now: the job waits, at no cost in attempts. */
        PUSHBACK,
        /** Worth another try by the retry schedule. */
        FAILURE,
        /** No try could succeed: the dead letters, at once. */
        REJECTED,
        /** No call was made. */
        RETURNED
    }

    private static final int LONGEST_RETRY_AFTER_DIGITS = 9;
    /** Of what a dispatcher says went wrong: the reason goes into events, dead letters and logs. */
    private static final int MOST_REASON_CHARS = 1000;

    /** @param now for a {@code Retry-After} that is a date */
    static Verdict of(Outcome outcome, Instant now) {
        String told = outcome.error();
        String error = told == null || told.length() <= MOST_REASON_CHARS ? told : told.substring(0, MOST_REASON_CHARS);
        return switch (outcome.kind()) {
            case RETURNED -> new Verdict(Kind.RETURNED, null, error);
            case REFUSED -> new Verdict(Kind.REJECTED, null, "not called: " + error);
            case FAILED -> new Verdict(Kind.FAILURE, null, error == null ? "the call failed" : error);
            case ANSWERED -> {
                Answer answer = outcome.answer();
                yield answer == null
                        ? new Verdict(Kind.FAILURE, null, "the outcome says answered but has no answer")
                        : of(answer, now);
            }
        };
    }

    private static Verdict of(Answer answer, Instant now) {
        int status = answer.status();
        if (status >= 200 && status < 300) {
            return new Verdict(Kind.SUCCESS, null, null);
        }
        String reason = "the upstream answered " + status;
        Duration retryAfter = retryAfter(answer.header("retry-after"), now);
        if (status == 429 || (status == 503 && retryAfter != null)) {
            return new Verdict(Kind.PUSHBACK, retryAfter, reason);
        }
        if (status == 408 || status == 425 || status >= 500) {
            return new Verdict(Kind.FAILURE, null, reason);
        }
        return new Verdict(Kind.REJECTED, null, reason);
    }

    /** RFC 9110 Retry-After: seconds or an HTTP date; null when it is neither. */
    static @Nullable Duration retryAfter(@Nullable String value, Instant now) {
        if (value == null) {
            return null;
        }
        String text = value.trim();
        if (!text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            return text.length() > LONGEST_RETRY_AFTER_DIGITS
                    ? Hold.LONGEST_RETRY_AFTER
                    : Duration.ofSeconds(Long.parseLong(text));
        }
        try {
            Instant until = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME.withLocale(Locale.ROOT))
                    .toInstant();
            return until.isAfter(now) ? Duration.between(now, until) : Duration.ZERO;
        } catch (DateTimeException e) {
            return null;
        }
    }
}
