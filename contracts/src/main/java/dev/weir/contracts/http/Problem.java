package dev.weir.contracts.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.kafka.Json;
import io.javalin.http.Context;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An error as RFC 9457 {@code application/problem+json}.
 *
 * @param type a URI; {@code about:blank} when the status says it all
 * @param title the same for every problem of this type
 * @param status the HTTP status
 * @param detail what happened this time and what to do about it
 * @param errors the bad fields, when there are any
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record Problem(String type, String title, int status, String detail, List<FieldError> errors) {
    public static final String MEDIA_TYPE = "application/problem+json";

    /** @param pointer RFC 6901 JSON pointer to the field, empty for the whole document */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    public record FieldError(String pointer, String detail) {}

    public Problem {
        errors = List.copyOf(errors);
    }

    public static Problem of(int status, String title, String detail) {
        return new Problem("about:blank", title, status, detail, List.of());
    }

    public static Problem fields(List<FieldError> errors) {
        return new Problem(
                "about:blank",
                "Unprocessable Content",
                422,
                errors.size() == 1 ? "1 field is wrong; see errors" : errors.size() + " fields are wrong; see errors",
                errors);
    }

    /** Answers with this problem; {@code retryAfterSeconds} adds {@code Retry-After} unless it is null. */
    public void write(Context ctx, @Nullable Long retryAfterSeconds) {
        if (retryAfterSeconds != null) {
            ctx.header("Retry-After", Long.toString(retryAfterSeconds));
        }
        ctx.status(status).contentType(MEDIA_TYPE).result(Json.bytes(this));
    }

    public void write(Context ctx) {
        write(ctx, null);
    }
}
