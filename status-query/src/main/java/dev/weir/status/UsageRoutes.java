package dev.weir.status;

import com.fasterxml.jackson.annotation.JsonInclude;
import dev.weir.contracts.access.Caller;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import dev.weir.status.usage.Counts;
import dev.weir.status.usage.Grain;
import dev.weir.status.usage.UsageStore;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.apache.kafka.streams.query.Query;
import org.jspecify.annotations.Nullable;

/** {@code GET /v1/usage} and {@code GET /v1/upstreams/{name}/releases}: what was counted, as JSON or CSV. */
final class UsageRoutes {
    static final int MOST_STEPS = 3_000;
    static final int MOST_ROWS = 50_000;
    private static final Duration DAY = Duration.ofDays(1);
    private static final String CSV = "text/csv";

    private final EveryPartition everywhere;
    private final LocalStores stores;
    private final Upstreams upstreams;
    private final Function<String, @Nullable Forecast> forecasts;
    private final InstantSource clock;

    UsageRoutes(
            EveryPartition everywhere,
            LocalStores stores,
            Upstreams upstreams,
            Function<String, @Nullable Forecast> forecasts,
            InstantSource clock) {
        this.everywhere = everywhere;
        this.stores = stores;
        this.upstreams = upstreams;
        this.forecasts = forecasts;
        this.clock = clock;
    }

    void register(RoutesConfig routes) {
        routes.get("/v1/usage", this::usage);
        routes.get("/v1/upstreams/{name}/releases", this::releases);
    }

    /** {@code count} permits with their slots within the step, which spent {@code cost}. */
    private record Step(Instant start, long count, long cost) {}

    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record Releases(
            String upstream,
            Instant from,
            Instant to,
            Duration step,
            List<Step> releases,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Instant asOf) {}

    private void releases(Context ctx) {
        String name = ctx.pathParam("name");
        if (upstreams.of(name) == null && forecasts.apply(name) == null) {
            Answers.notFound(
                    ctx,
                    "no upstream " + Answers.shown(name) + " is configured; GET /v1/upstreams lists those that are");
            return;
        }
        Parameters parameters = new Parameters(ctx, Set.of("from", "to", "step"));
        Duration step = parameters.duration("step", Grain.MINUTE.width());
        UsageStore.Question question = question(parameters, step, Grain.MINUTE, null, name);
        if (question == null) {
            return;
        }
        ask(ctx, question, (rows, asOf) -> {
            Map<Instant, Counts> sums = new HashMap<>();
            rows.forEach(row -> sums.merge(row.start(), row.counts(), Counts::plus));
            List<Step> steps = new ArrayList<>();
            for (Instant start = question.from(); start.isBefore(question.to()); start = start.plus(step)) {
                Counts counts = sums.getOrDefault(start, Counts.NONE);
                steps.add(new Step(start, counts.released(), counts.cost()));
            }
            if (wantsCsv(ctx)) {
                List<List<Object>> lines = steps.stream()
                        .map(one -> List.<Object>of(one.start(), one.count(), one.cost()))
                        .toList();
                csv(ctx, "start,count,cost", lines);
            } else {
                Answers.json(ctx, new Releases(name, question.from(), question.to(), step, steps, asOf));
            }
        });
    }

    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record Used(
            Instant start,
            String tenant,
            String upstream,
            long accepted,
            long released,
            long cost,
            long succeeded,
            long dead,
            long cancelled,
            long expired) {
        static Used of(UsageStore.Row row) {
            Counts counts = row.counts();
            return new Used(
                    row.start(),
                    row.tenant(),
                    row.upstream(),
                    counts.accepted(),
                    counts.released(),
                    counts.cost(),
                    counts.succeeded(),
                    counts.dead(),
                    counts.cancelled(),
                    counts.expired());
        }

        List<Object> line() {
            return List.of(start, tenant, upstream, accepted, released, cost, succeeded, dead, cancelled, expired);
        }
    }

    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record Usage(
            Instant from,
            Instant to,
            Duration per,
            List<Used> usage,

            @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable
            Instant asOf) {}

    private void usage(Context ctx) {
        Caller caller = Caller.of(ctx);
        Parameters parameters = new Parameters(ctx, Set.of("per", "from", "to", "tenant", "upstream"));
        String tenant = parameters.text("tenant");
        if (tenant != null && !caller.sees(tenant)) {
            Problem.of(403, "Forbidden", "a producer's key shows the usage of its own tenant alone; leave tenant out")
                    .write(ctx);
            return;
        }
        Duration per = parameters.duration("per", Grain.HOUR.width());
        if (!Set.of(Grain.MINUTE.width(), Grain.HOUR.width(), DAY).contains(per)) {
            parameters.wrong("per", "expected PT1M, PT1H or P1D");
            parameters.refused();
            return;
        }
        UsageStore.Question question = question(
                parameters,
                per,
                per.equals(Grain.MINUTE.width()) ? Grain.MINUTE : Grain.HOUR,
                tenant != null || caller.seesAll() ? tenant : caller.tenant(),
                parameters.text("upstream"));
        if (question == null) {
            return;
        }
        ask(ctx, question, (rows, asOf) -> {
            List<Used> used = rows.stream()
                    .map(Used::of)
                    .sorted(Comparator.comparing(Used::start)
                            .thenComparing(Used::tenant)
                            .thenComparing(Used::upstream))
                    .toList();
            if (used.size() > MOST_ROWS) {
                tooMuch(ctx);
            } else if (wantsCsv(ctx)) {
                csv(
                        ctx,
                        "start,tenant,upstream,accepted,released,cost,succeeded,dead,cancelled,expired",
                        used.stream().map(Used::line).toList());
            } else {
                Answers.json(ctx, new Usage(question.from(), question.to(), per, used, asOf));
            }
        });
    }

    /** Null when the parameters are wrong; the answer is written then. */
    private UsageStore.@Nullable Question question(
            Parameters parameters, Duration step, Grain grain, @Nullable String tenant, @Nullable String upstream) {
        long widthMs = grain.width().toMillis();
        boolean whole = !step.isNegative()
                && !step.isZero()
                && step.compareTo(grain.kept()) <= 0
                && step.toNanos() % grain.width().toNanos() == 0;
        if (!whole) {
            parameters.wrong("step", "expected a whole number of " + grain.width() + " up to " + grain.kept());
            parameters.refused();
            return null;
        }
        Instant now = clock.instant();
        // Of days, whole ones in UTC; else from the start of a window on.
        long alignMs = step.equals(DAY) ? DAY.toMillis() : widthMs;
        Instant to = parameters.instant("to", floor(now, widthMs).plusMillis(widthMs));
        Instant from =
                floor(parameters.instant("from", to.minus(grain == Grain.MINUTE ? Duration.ofHours(1) : DAY)), alignMs);
        if (!from.isBefore(to)) {
            parameters.wrong("from", "expected a time before to");
        } else if (from.isBefore(now.minus(grain.kept()).minus(grain.width()))) {
            parameters.wrong("from", "expected a time within the last " + grain.kept() + ": older counts are not kept");
        } else if (Duration.between(from, to).dividedBy(step) > MOST_STEPS) {
            parameters.wrong("from", "expected at most " + MOST_STEPS + " steps until to");
        }
        return parameters.refused() ? null : new UsageStore.Question(grain, from, to, step, tenant, upstream);
    }

    private static Instant floor(Instant instant, long widthMs) {
        return Instant.ofEpochMilli(Math.floorDiv(instant.toEpochMilli(), widthMs) * widthMs);
    }

    private interface Show {
        void rows(List<UsageStore.Row> rows, @Nullable Instant asOf);
    }

    private void ask(Context ctx, UsageStore.Question question, Show show) {
        String path = "/usage?grain=" + question.grain() + "&from=" + question.from() + "&to=" + question.to()
                + "&step=" + question.step() + named("tenant", question.tenant())
                + named("upstream", question.upstream());
        Answers.later(
                ctx,
                () -> everywhere
                        .ask(path, UsageStore.Rows.class, partition -> read(partition, question))
                        .thenAccept(gathered -> {
                            if (!gathered.answers().stream().allMatch(UsageStore.Rows::complete)) {
                                tooMuch(ctx);
                                return;
                            }
                            Answers.age(ctx, gathered.asOf(), clock.instant());
                            show.rows(
                                    UsageStore.sum(gathered.answers().stream()
                                            .flatMap(rows -> rows.rows().stream())
                                            .toList()),
                                    gathered.asOf());
                        }));
    }

    /** For another instance that asks. */
    CompletableFuture<EveryPartition.Share> share(List<Integer> partitions, UsageStore.Question question) {
        return everywhere.share(partitions, partition -> read(partition, question));
    }

    private UsageStore.Rows read(int partition, UsageStore.Question question) {
        return UsageStore.read(
                new UsageStore.Stores() {
                    @Override
                    public <R> R answer(String store, Query<R> query) {
                        return stores.answer(store, partition, query);
                    }
                },
                question);
    }

    private static String named(String name, @Nullable String value) {
        return value == null ? "" : "&" + name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8);
    }

    private static void tooMuch(Context ctx) {
        Problem.of(
                        422,
                        "Unprocessable Content",
                        "that is more than can be told at once; ask for a shorter time, one tenant or one upstream")
                .write(ctx);
    }

    private static boolean wantsCsv(Context ctx) {
        String accept = ctx.header("Accept");
        return accept != null && accept.contains(CSV);
    }

    /** As in RFC 4180. */
    private static void csv(Context ctx, String header, List<List<Object>> lines) {
        StringBuilder text = new StringBuilder(header).append("\r\n");
        for (List<Object> line : lines) {
            String separator = "";
            for (Object value : line) {
                text.append(separator).append(quoted(value.toString()));
                separator = ",";
            }
            text.append("\r\n");
        }
        ctx.contentType(CSV + "; charset=utf-8").result(text.toString());
    }

    private static String quoted(String value) {
        return value.matches("[A-Za-z0-9_.:+-]*") ? value : '"' + value.replace("\"", "\"\"") + '"';
    }
}
