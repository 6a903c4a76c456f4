package dev.weir.ingress;

import com.fasterxml.jackson.core.JsonToken;
import dev.weir.contracts.config.AuthSettings;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.http.CallRules;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.http.Problem.FieldError;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Call;
import dev.weir.contracts.wire.Priority;
import dev.weir.ingress.JsonFields.Value;
import java.io.IOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Turns a submission's bytes into a {@link Draft}, or says everything that is wrong with them at once. Thread-safe. */
final class JobParser {
    /** More than anyone corrects at once; keeps the answer to a hostile document small. */
    static final int MAX_ERRORS = 50;
    /** Nothing was ever to be done before it; an earlier time is a mistake. */
    static final Instant EARLIEST = Instant.EPOCH;
    /** The throttle keeps times as nanoseconds in a long, which ends in 2262. */
    static final Instant LATEST = Instant.parse("2200-01-01T00:00:00Z");

    private static final List<String> FIELDS =
            List.of("upstream", "request", "priority", "notBefore", "deadline", "onLate", "cost");
    private static final List<String> REQUEST_FIELDS = List.of("method", "path", "headers", "body", "bodyBase64");
    private static final Pattern RFC_3339 =
            Pattern.compile("\\d{4}-\\d{2}-\\d{2}[Tt]\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?([Zz]|[+-]\\d{2}:\\d{2})");

    private final Upstreams upstreams;

    JobParser(Upstreams upstreams) {
        this.upstreams = upstreams;
    }

    Parsed parse(byte[] bytes, Instant now) {
        Value document;
        try {
            document = JsonFields.read(bytes);
        } catch (IOException e) {
            return new Parsed.Refused(StrictJson.malformed(e));
        }
        return new Reading(now).read(document);
    }

    /** One document's reading: gathers the errors on the way. */
    private final class Reading {
        private final Instant now;
        private final List<FieldError> errors = new ArrayList<>();

        Reading(Instant now) {
            this.now = now;
        }

        Parsed read(Value document) {
            Map<String, Value> fields = document.fields();
            if (fields == null) {
                error("", "expected an object, but it is " + document.kind());
                return refused();
            }
            unknown("", fields, FIELDS);
            String name = text("/upstream", given(fields, "upstream"));
            if (given(fields, "upstream") == null) {
                error("/upstream", "missing; expected the name of an upstream");
            }
            UpstreamConfig upstream = name == null ? null : upstreams.of(name);
            if (name != null && upstream == null) {
                error("/upstream", "there is no such upstream; there is " + ClientText.listed(upstreams.names()));
            }
            Call call = request(given(fields, "request"), upstream);
            Priority priority = priority(given(fields, "priority"));
            Instant notBefore = time("/notBefore", given(fields, "notBefore"));
            Instant deadline = time("/deadline", given(fields, "deadline"));
            if (notBefore != null && deadline != null && !deadline.isAfter(notBefore)) {
                error("/deadline", "expected a time after notBefore");
            }
            Boolean acceptLate = onLate(given(fields, "onLate"));
            int cost = cost(given(fields, "cost"), upstream);
            if (!errors.isEmpty() || upstream == null || call == null) {
                if (deadline != null && !deadline.isAfter(now)) {
                    error("/deadline", EtaCheck.PAST);
                }
                return name != null && upstream == null && errors.size() == 1
                        ? new Parsed.Refused(Reply.noUpstream(name, upstreams.names()))
                        : refused();
            }
            return new Parsed.Sound(new Draft(upstream.name(), call, priority, notBefore, deadline, acceptLate, cost));
        }

        private Parsed refused() {
            return new Parsed.Refused(Problem.fields(errors.subList(0, Math.min(errors.size(), MAX_ERRORS))));
        }

        private void error(String pointer, String detail) {
            // One more than is shown, so that the count says that there are more.
            if (errors.size() <= MAX_ERRORS) {
                errors.add(new FieldError(ClientText.writable(pointer), ClientText.writable(detail)));
            }
        }

        private void unknown(String at, Map<String, Value> fields, List<String> known) {
            for (String name : fields.keySet()) {
                if (!known.contains(name)) {
                    error(
                            at + "/" + CallRules.escape(ClientText.cut(name)),
                            "unknown field; expected one of " + String.join(", ", known));
                }
            }
        }

        private @Nullable Call request(@Nullable Value value, @Nullable UpstreamConfig upstream) {
            if (value == null) {
                error("/request", "missing; expected an object with at least a path");
                return null;
            }
            Map<String, Value> fields = value.fields();
            if (fields == null) {
                error("/request", "expected an object, but it is " + value.kind());
                return null;
            }
            unknown("/request", fields, REQUEST_FIELDS);
            String method = text("/request/method", given(fields, "method"));
            if (method != null) {
                note("/request/method", CallRules.method(method));
            }
            String path = text("/request/path", given(fields, "path"));
            if (path != null) {
                note("/request/path", CallRules.path(path));
            } else if (given(fields, "path") == null) {
                error("/request/path", "missing; expected a path that starts with /");
            }
            CallBody.Headers headers = CallBody.headers(given(fields, "headers"), this::error);
            CallBody body =
                    CallBody.of(given(fields, "body"), given(fields, "bodyBase64"), headers.values(), this::error);
            headers(headers.values(), body, upstream == null ? null : upstream.auth());
            if (path == null || body == null) {
                return null;
            }
            return new Call(method == null ? "POST" : method, path, body.headers(), body.text(), body.base64());
        }

        /**
         * Judges the headers that go out, Weir's own Content-Type among them: the dispatcher judges the same ones again, and
         * must find nothing in a job that was accepted.
         */
        private void headers(Map<String, String> own, @Nullable CallBody body, @Nullable AuthSettings auth) {
            Map<String, String> sent = body == null ? own : body.headers();
            String added = sent.size() == own.size() ? "" : "; the Content-Type that Weir adds is one of them";
            for (FieldError bad : CallRules.headers(sent, auth == null ? null : auth.header())) {
                boolean counted = bad.pointer().equals("/request/headers");
                error(ClientText.cut(bad.pointer()), counted ? bad.detail() + added : bad.detail());
            }
        }

        private Priority priority(@Nullable Value value) {
            String text = text("/priority", value);
            if (text == null) {
                return Priority.NORMAL;
            }
            for (Priority priority : Priority.values()) {
                if (priority.name().toLowerCase(Locale.ROOT).equals(text)) {
                    return priority;
                }
            }
            error("/priority", "expected high, normal or low");
            return Priority.NORMAL;
        }

        private boolean onLate(@Nullable Value value) {
            String text = text("/onLate", value);
            if (text != null && !text.equals("accept") && !text.equals("reject")) {
                error("/onLate", "expected reject or accept");
            }
            return "accept".equals(text);
        }

        private @Nullable Instant time(String pointer, @Nullable Value value) {
            String text = text(pointer, value);
            if (text == null) {
                return null;
            }
            try {
                if (RFC_3339.matcher(text).matches()) {
                    Instant time =
                            OffsetDateTime.parse(text.toUpperCase(Locale.ROOT)).toInstant();
                    if (time.isBefore(EARLIEST) || time.isAfter(LATEST)) {
                        error(pointer, "expected a time from " + EARLIEST + " to " + LATEST);
                        return null;
                    }
                    return time;
                }
            } catch (DateTimeParseException e) {
                // is reported as any other text that is no time
            }
            error(pointer, "expected a time as in RFC 3339, such as 2026-11-22T10:00:00Z");
            return null;
        }

        private int cost(@Nullable Value value, @Nullable UpstreamConfig upstream) {
            if (value == null) {
                return 1;
            }
            boolean whole = value.token() == JsonToken.VALUE_NUMBER_INT;
            if (!whole || value.text().startsWith("-") || value.text().equals("0")) {
                error("/cost", "expected a whole number of permits from 1");
                return 1;
            }
            // Ten digits and more are beyond any budget, and beyond an int.
            long cost = value.text().length() > 9 ? Integer.MAX_VALUE : Long.parseLong(value.text());
            if (upstream != null && cost > upstream.settings().smallestBudget()) {
                error(
                        "/cost",
                        "expected at most " + upstream.settings().smallestBudget()
                                + ", the smallest budget of the windows of " + upstream.name()
                                + ": more could never be called");
            }
            return (int) cost;
        }

        private void note(String pointer, @Nullable String problem) {
            if (problem != null) {
                error(pointer, problem);
            }
        }

        private @Nullable String text(String pointer, @Nullable Value value) {
            if (value == null) {
                return null;
            }
            if (value.token() != JsonToken.VALUE_STRING) {
                error(pointer, "expected a string, but it is " + value.kind());
                return null;
            }
            return value.text();
        }

        /** A field that is there; null is the same as leaving it out. */
        private static @Nullable Value given(Map<String, Value> fields, String name) {
            Value value = fields.get(name);
            return value == null || value.isNull() ? null : value;
        }
    }
}
