package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.access.Caller;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.JobStatus;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** {@code GET /v1/jobs}. */
final class ListRoutes {
    static final int DEFAULT_LIMIT = 50;
    static final int MOST = 500;
    private static final Set<String> PARAMETERS =
            Set.of("tenant", "status", "upstream", "from", "to", "limit", "cursor");

    private final JobLists lists;
    private final JobViews views;
    private final InstantSource clock;

    ListRoutes(JobLists lists, JobViews views, InstantSource clock) {
        this.lists = lists;
        this.views = views;
        this.clock = clock;
    }

    void register(RoutesConfig routes) {
        routes.get("/v1/jobs", this::list);
    }

    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record Page(
            List<ListedJob> jobs,
            @Nullable String next,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Instant asOf) {}

    private void list(Context ctx) {
        Caller caller = Caller.of(ctx);
        Parameters parameters = new Parameters(ctx, PARAMETERS);
        String tenant = parameters.text("tenant");
        if (tenant != null && !caller.sees(tenant)) {
            Problem.of(403, "Forbidden", "a producer's key lists the jobs of its own tenant alone; leave tenant out")
                    .write(ctx);
            return;
        }
        Instant from = parameters.instant("from", Parameters.FIRST);
        Instant to = parameters.instant("to", Parameters.LAST);
        int limit = parameters.number("limit", DEFAULT_LIMIT, 1, MOST);
        ListFilter filter = new ListFilter(
                tenant != null || caller.seesAll() ? tenant : caller.tenant(),
                statuses(parameters),
                parameters.text("upstream"),
                Listing.ms(from),
                Listing.ms(to.plusNanos(999_999)));
        Listing.Place after = null;
        String cursor = parameters.text("cursor");
        if (cursor != null) {
            after = Cursor.read(cursor, filter);
            if (after == null) {
                parameters.wrong(
                        "cursor", "expected the next of a page of this very list, with the same other parameters");
            }
        }
        if (parameters.refused()) {
            return;
        }
        Listing.Place start = after;
        Answers.later(
                ctx,
                () -> lists.page(filter, start, limit).thenAccept(page -> {
                    Answers.age(ctx, page.asOf(), clock.instant());
                    Answers.json(
                            ctx,
                            new Page(
                                    page.jobs().stream().map(views::listed).toList(),
                                    page.next() == null ? null : Cursor.of(page.next(), filter),
                                    page.asOf()));
                }));
    }

    private static Set<JobStatus> statuses(Parameters parameters) {
        String text = parameters.text("status");
        Set<JobStatus> statuses = EnumSet.noneOf(JobStatus.class);
        for (String name : text == null ? new String[0] : text.split(",", -1)) {
            Arrays.stream(JobStatus.values())
                    .filter(status -> text(status).equals(name))
                    .findFirst()
                    .ifPresentOrElse(
                            statuses::add,
                            () -> parameters.wrong(
                                    "status",
                                    "expected one or more, with commas between, of "
                                            + Arrays.stream(JobStatus.values())
                                                    .map(ListRoutes::text)
                                                    .collect(Collectors.joining(", "))));
        }
        return statuses;
    }

    private static String text(JobStatus status) {
        return Json.MAPPER.convertValue(status, String.class);
    }
}
