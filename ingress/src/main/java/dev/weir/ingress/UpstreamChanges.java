package dev.weir.ingress;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.access.Caller;
import dev.weir.contracts.config.SettingsPatch;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.http.Problem;
import dev.weir.contracts.http.Problem.FieldError;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.kafka.UpstreamsWriter;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.UpstreamRecord;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Changes upstreams while they run: writes the next revision of an upstream's record, and waits until the throttle has taken
 * it up. One after the other, those of other ingresses too. Thread-safe.
 */
final class UpstreamChanges implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(5);
    static final int MOST_WAITING = 100;
    static final String ASSUME_UNUSED = "assumeUnused";

    private static final Logger LOG = LoggerFactory.getLogger(UpstreamChanges.class);

    private final Upstreams upstreams;
    private final CompactedTopic<Forecast> forecasts;
    private final KafkaWriter kafka;
    private final UpstreamsWriter writer;
    private final AskAgain askAgain;
    private final InstantSource clock;
    private final Semaphore room = new Semaphore(MOST_WAITING);
    /** Each waits for Kafka. */
    private final ThreadPoolExecutor writes =
            new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(MOST_WAITING), task -> {
                Thread thread = new Thread(task, "ingress-upstreams");
                thread.setDaemon(true);
                return thread;
            });

    /** What an upstream is to be; or what is wrong with it. */
    private record Wanted(
            @Nullable UpstreamSettings settings, boolean paused, boolean assumeUnused, List<FieldError> errors) {
        boolean changes(UpstreamRecord current) {
            return assumeUnused
                    || paused != current.paused()
                    || !current.settings().equals(settings);
        }
    }

    /**
     * What becomes of a change.
     *
     * @param reply when there is nothing to write
     */
    private record Decision(
            UpstreamRecord current,
            UpstreamRecord next,
            @Nullable Reply reply) {}

    /** The answer to a change. */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    private record InForce(String name, long revision, boolean paused, UpstreamSettings settings) {
        static InForce of(UpstreamRecord record) {
            return new InForce(record.name(), record.revision(), record.paused(), record.settings());
        }
    }

    UpstreamChanges(
            Upstreams upstreams,
            CompactedTopic<Forecast> forecasts,
            KafkaWriter kafka,
            UpstreamsWriter writer,
            AskAgain askAgain,
            InstantSource clock) {
        this.upstreams = upstreams;
        this.forecasts = forecasts;
        this.kafka = kafka;
        this.writer = writer;
        this.askAgain = askAgain;
        this.clock = clock;
    }

    /** Changes settings by a merge patch. */
    CompletableFuture<Reply> patch(Caller caller, String name, JsonNode patch) {
        return change(caller, name, current -> patched(current, patch));
    }

    /** Pauses or resumes. */
    CompletableFuture<Reply> pause(Caller caller, String name, boolean paused) {
        return change(caller, name, current -> new Wanted(current.settings(), paused, false, List.of()));
    }

    private static Wanted patched(UpstreamRecord current, JsonNode patch) {
        JsonNode settings = patch;
        boolean assumeUnused = false;
        if (patch instanceof ObjectNode object) {
            JsonNode flag = object.path(ASSUME_UNUSED);
            if (!flag.isBoolean() && !flag.isMissingNode() && !flag.isNull()) {
                return new Wanted(
                        null,
                        current.paused(),
                        false,
                        List.of(new FieldError("/" + ASSUME_UNUSED, "expected true or false")));
            }
            assumeUnused = flag.asBoolean();
            settings = object.deepCopy().without(ASSUME_UNUSED);
        }
        SettingsPatch.Result result = SettingsPatch.apply(current.settings(), settings);
        return new Wanted(result.settings(), current.paused(), assumeUnused, result.errors());
    }

    private CompletableFuture<Reply> change(Caller caller, String name, Function<UpstreamRecord, Wanted> want) {
        UpstreamConfig upstream = upstreams.of(name);
        if (upstream == null) {
            return CompletableFuture.completedFuture(Reply.problem(Reply.noUpstream(name, upstreams.names())));
        }
        if (!room.tryAcquire()) {
            return CompletableFuture.completedFuture(Reply.unavailable(
                    MOST_WAITING + " changes wait for the throttle already; nothing was changed, send it again"));
        }
        long askedNanos = System.nanoTime();
        CompletableFuture<Decision> written;
        try {
            written = CompletableFuture.supplyAsync(() -> write(caller, upstream, want, askedNanos), writes);
        } catch (RejectedExecutionException e) {
            room.release();
            return CompletableFuture.completedFuture(
                    Reply.unavailable("this ingress is shutting down; nothing was changed, send it again"));
        }
        return written.thenCompose(decision -> {
                    Reply reply = decision.reply();
                    return reply == null ? takenUp(decision.next()) : CompletableFuture.completedFuture(reply);
                })
                .exceptionally(Reply::notWritten)
                .whenComplete((done, failure) -> room.release());
    }

    private Decision write(
            Caller caller, UpstreamConfig upstream, Function<UpstreamRecord, Wanted> want, long askedNanos) {
        // What is wrong or changes nothing needs no turn.
        Decision known = decide(upstream, upstreams.record(upstream.name()), want);
        if (known.reply() != null) {
            return known;
        }
        try {
            if (!kafka.reachesKafka()) {
                throw new KafkaWriter.NotWritten(
                        "Kafka cannot be written to right now; nothing was changed, send it again", null);
            }
            if (System.nanoTime() - askedNanos > PATIENCE.toNanos()) {
                throw new KafkaWriter.NotWritten(
                        "the changes before it took more than " + PATIENCE.toSeconds()
                                + " s; nothing was changed, send it again",
                        null);
            }
            Decision[] decided = {known};
            writer.write(records -> {
                        decided[0] = decide(upstream, records.get(upstream.name()), want);
                        return decided[0].reply() == null ? Map.of(upstream.name(), decided[0].next()) : Map.of();
                    })
                    .forEach((name, offset) -> {
                        upstreams.wrote(name, decided[0].next(), offset);
                        log(caller, decided[0].current(), decided[0].next());
                    });
            return decided[0];
        } catch (KafkaWriter.NotWritten e) {
            throw new CompletionException(e);
        } catch (UpstreamsWriter.NotWrittenException e) {
            LOG.warn("a change of {} was not written: {}", upstream.name(), e.getMessage());
            throw new CompletionException(new KafkaWriter.NotWritten(String.valueOf(e.getMessage()), e));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CompletionException(new KafkaWriter.NotWritten(
                    "this ingress is shutting down; see what is in force before you send it again", e));
        }
    }

    private Decision decide(
            UpstreamConfig upstream, @Nullable UpstreamRecord record, Function<UpstreamRecord, Wanted> want) {
        UpstreamRecord current = record == null ? fromFile(upstream) : record;
        Wanted wanted = want.apply(current);
        UpstreamSettings settings = wanted.settings();
        if (settings == null) {
            return new Decision(current, current, Reply.problem(Problem.fields(shown(wanted.errors()))));
        }
        if (!wanted.changes(current)) {
            return new Decision(current, current, Reply.ok(InForce.of(current)));
        }
        return new Decision(
                current,
                new UpstreamRecord(
                        UpstreamRecord.VERSION,
                        current.name(),
                        current.revision() + 1,
                        clock.instant().truncatedTo(ChronoUnit.MICROS),
                        settings,
                        wanted.paused(),
                        wanted.assumeUnused(),
                        current.seed()),
                null);
    }

    private CompletableFuture<Reply> takenUp(UpstreamRecord record) {
        return askAgain.within(
                        PATIENCE,
                        () -> CompletableFuture.completedFuture(
                                isTakenUp(record) ? Reply.ok(InForce.of(record)) : null))
                .thenApply(reply ->
                        reply == null ? Reply.notYet(InForce.of(record), "/v1/upstreams/" + record.name()) : reply);
    }

    private boolean isTakenUp(UpstreamRecord record) {
        Forecast forecast = forecasts.of(record.name());
        // One that was taken away and is back begins anew: an old forecast's revision says nothing.
        return forecast != null && !forecast.removed() && forecast.revision() >= record.revision();
    }

    private static UpstreamRecord fromFile(UpstreamConfig upstream) {
        return new UpstreamRecord(
                UpstreamRecord.VERSION,
                upstream.name(),
                0,
                Instant.EPOCH,
                upstream.settings(),
                false,
                false,
                upstream.settings());
    }

    /** To be called when the server is closed: nobody waits for an answer any more. */
    @Override
    public void close() {
        writes.shutdownNow();
    }

    private static List<FieldError> shown(List<FieldError> errors) {
        return errors.subList(0, Math.min(errors.size(), JobParser.MAX_ERRORS));
    }

    private static void log(Caller caller, UpstreamRecord from, UpstreamRecord to) {
        String changes = from.settings().changesTo(to.settings());
        LOG.info(
                "{} changed {} (revision {} -> {}): {}{}{}",
                caller.tenant(),
                to.name(),
                from.revision(),
                to.revision(),
                from.paused() == to.paused() ? "" : to.paused() ? "paused; " : "resumed; ",
                changes.isEmpty() ? "settings as they were" : changes,
                to.assumeUnused() ? "; its unknown past is taken as unused" : "");
    }
}
