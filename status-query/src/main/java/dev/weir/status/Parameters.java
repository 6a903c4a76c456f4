package dev.weir.status;

import dev.weir.contracts.http.Problem;
import dev.weir.contracts.http.Problem.FieldError;
import io.javalin.http.Context;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The query parameters of one request, with everything that is wrong with them. For one thread. */
final class Parameters {
    /** Beyond these no job is, and milliseconds may overflow. */
    static final Instant FIRST = Instant.EPOCH;

    static final Instant LAST = Instant.parse("9999-12-31T23:59:59Z");

    private final Context ctx;
    private final List<FieldError> errors = new ArrayList<>();

    /** @param known all that the route takes; any other is an error, not ignored */
    Parameters(Context ctx, Set<String> known) {
        this.ctx = ctx;
        ctx.queryParamMap().forEach((name, values) -> {
            if (!known.contains(name)) {
                wrong(
                        Answers.shown(name),
                        "there is no such parameter; expected "
                                + String.join(", ", known.stream().sorted().toList()));
            } else if (values.size() > 1) {
                wrong(name, "expected once, but it is there " + values.size() + " times");
            }
        });
    }

    @Nullable
    String text(String name) {
        String value = ctx.queryParam(name);
        return value == null || value.isEmpty() ? null : value;
    }

    Instant instant(String name, Instant otherwise) {
        String value = text(name);
        if (value == null) {
            return otherwise;
        }
        try {
            Instant instant = Instant.parse(value);
            if (!instant.isBefore(FIRST) && !instant.isAfter(LAST)) {
                return instant;
            }
            wrong(name, "expected a time from " + FIRST + " to " + LAST);
        } catch (DateTimeException e) {
            wrong(name, "expected a time such as 2026-11-22T10:00:00Z");
        }
        return otherwise;
    }

    Duration duration(String name, Duration otherwise) {
        String value = text(name);
        if (value == null) {
            return otherwise;
        }
        try {
            return Duration.parse(value);
        } catch (DateTimeException e) {
            wrong(name, "expected an ISO-8601 duration such as PT1M");
            return otherwise;
        }
    }

    int number(String name, int otherwise, int least, int most) {
        String value = text(name);
        if (value == null) {
            return otherwise;
        }
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            wrong(name, "expected a whole number");
            return otherwise;
        }
        wrong(name, "expected " + least + " to " + most);
        return otherwise;
    }

    void wrong(String name, String detail) {
        errors.add(new FieldError("/" + name, detail));
    }

    /** Whether anything was wrong; the answer is written then. */
    boolean refused() {
        if (errors.isEmpty()) {
            return false;
        }
        Problem.fields(errors).write(ctx);
        return true;
    }
}
