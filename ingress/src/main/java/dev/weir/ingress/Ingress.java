package dev.weir.ingress;

import dev.weir.contracts.access.Caller;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.FinishedJobs;
import dev.weir.contracts.http.KnownJobs;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.kafka.UpstreamsWriter;
import dev.weir.contracts.wire.Forecast;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Collections;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/**
 * The role that takes what clients send: jobs, cancellations, and changes of upstreams. Answers 202 only once Kafka has a
 * job, and keeps no state of its own beyond what is under way. Thread-safe.
 */
public final class Ingress implements AutoCloseable {
    private final RequestReader reader;
    private final JobParser parser;
    private final KafkaWriter writer;
    private final Submissions submissions;
    private final FinishedWaits waits;
    private final Batches batches;
    private final AskAgain askAgain = new AskAgain();
    private final UpstreamChanges changes;
    private final ControlRoutes control;
    private final IngressMetrics metrics;
    private final InstantSource clock;
    private final Answers answers;

    /** The producer starts to connect at once; until it has, jobs are answered 503. */
    public Ingress(
            WeirConfig config,
            KafkaSettings kafka,
            Upstreams upstreams,
            CompactedTopic<Forecast> forecasts,
            KnownJobs knownJobs,
            FinishedJobs finishedJobs,
            PrometheusMeterRegistry registry,
            InstantSource clock) {
        Semaphore memory = new Semaphore(RequestReader.MAX_BYTES_BEING_READ);
        SecureRandom random = new SecureRandom();
        this.clock = clock;
        this.metrics = new IngressMetrics(registry);
        this.answers = new Answers(metrics);
        this.reader = new RequestReader(config.maxBodyBytes(), memory, clock);
        this.parser = new JobParser(upstreams);
        this.writer = new KafkaWriter(kafka, clock);
        this.submissions = new Submissions(new JobWriter(writer, clock), forecasts, knownJobs, metrics, clock, random);
        this.waits = new FinishedWaits(finishedJobs);
        this.batches = new Batches(reader, this::take, config.maxBodyBytes(), memory, answers, metrics, clock);
        this.changes = new UpstreamChanges(upstreams, forecasts, writer, new UpstreamsWriter(kafka), askAgain, clock);
        this.control = new ControlRoutes(
                changes,
                new Cancellations(writer, knownJobs, askAgain, clock, random),
                new RequestReader(ControlRoutes.MAX_PATCH_BYTES, memory, clock),
                answers);
    }

    public void routes(RoutesConfig routes) {
        routes.post("/v1/jobs", this::submit);
        routes.post("/v1/jobs/batch", batches::handle);
        control.register(routes);
    }

    /** Why jobs are not taken now; null when they are. */
    public @Nullable String notReady() {
        return writer.notReady();
    }

    private void submit(Context ctx) {
        Timer.Sample started = metrics.start();
        Caller caller = Caller.of(ctx);
        Reply refusal = reader.refusal(ctx, RequestReader.JSON);
        if (refusal != null) {
            answers.now(ctx, refusal);
            return;
        }
        String key = reader.key(ctx);
        String traceparent = RequestReader.traceparent(ctx);
        Preference preference = Preference.of(Collections.list(ctx.req().getHeaders("Prefer")));
        answers.later(
                ctx,
                () -> reader.body(ctx, body -> take(caller, body, key, traceparent))
                        .thenCompose(reply -> {
                            metrics.submitted(started, reply.status());
                            return waits.answer(reply, preference);
                        }),
                "The job may or may not be taken: ask again with the same Idempotency-Key");
    }

    /** Takes one job, of a request of its own or of a line of a batch. */
    private CompletableFuture<Reply> take(
            Caller caller, byte[] body, @Nullable String key, @Nullable String traceparent) {
        Parsed parsed = parser.parse(body, clock.instant());
        return parsed instanceof Parsed.Refused refused
                ? CompletableFuture.completedFuture(Reply.problem(refused.problem()))
                : submissions.submit(caller, ((Parsed.Sound) parsed).draft(), key, traceparent);
    }

    /**
     * Ends what could go on for long, so that the server can close: whoever waits for a job's end is answered that it is
     * taken, and batches take no more lines. To be called before the server closes.
     */
    public void drain() {
        waits.close();
        batches.close();
    }

    /** Answers 503 from now on, waits a bounded time for the jobs under way, and closes. */
    @Override
    public void close() {
        drain();
        askAgain.close();
        changes.close();
        writer.close();
        answers.close();
    }
}
