package dev.weir.ingress;

import dev.weir.contracts.access.Caller;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.KnownJobs;
import dev.weir.contracts.kafka.CompactedTopic;
import dev.weir.contracts.kafka.KafkaSettings;
import dev.weir.contracts.kafka.Upstreams;
import dev.weir.contracts.wire.Forecast;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.ByteArrayOutputStream;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The role that takes what clients send: jobs, cancellations, and changes of upstreams. Answers 202 only once Kafka has a
 * job, and keeps no state of its own beyond what is under way. Thread-safe.
 */
public final class Ingress implements AutoCloseable {
    /** Write the answers, so that the producer's own thread never does. */
    static final int ANSWER_THREADS = 2;
    /** Each answer belongs to something that was let in, so this is never full. */
    static final int MAX_ANSWERS_WAITING =
            2 * (KafkaWriter.MAX_IN_FLIGHT + Cancellations.MOST_WAITING + UpstreamChanges.MOST_WAITING);

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
    private static final Pattern TRACEPARENT = Pattern.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");
    private static final Logger LOG = LoggerFactory.getLogger(Ingress.class);

    private final RequestReader reader;
    private final JobParser parser;
    private final KafkaWriter writer;
    private final Submissions submissions;
    private final AskAgain askAgain = new AskAgain();
    private final ControlRoutes control;
    private final IngressMetrics metrics;
    private final InstantSource clock;
    private final ThreadPoolExecutor answers;

    /** The producer starts to connect at once; until it has, jobs are answered 503. */
    public Ingress(
            WeirConfig config,
            KafkaSettings kafka,
            Upstreams upstreams,
            CompactedTopic<Forecast> forecasts,
            KnownJobs knownJobs,
            PrometheusMeterRegistry registry,
            InstantSource clock) {
        this.reader = new RequestReader(config.maxBodyBytes(), clock);
        this.parser = new JobParser(upstreams);
        this.metrics = new IngressMetrics(registry);
        this.clock = clock;
        this.writer = new KafkaWriter(kafka, clock);
        SecureRandom random = new SecureRandom();
        this.submissions = new Submissions(new JobWriter(writer), forecasts, knownJobs, metrics, clock, random);
        AtomicInteger count = new AtomicInteger();
        this.answers = new ThreadPoolExecutor(
                ANSWER_THREADS,
                ANSWER_THREADS,
                0,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MAX_ANSWERS_WAITING),
                task -> {
                    Thread thread = new Thread(task, "ingress-answers-" + count.incrementAndGet());
                    thread.setDaemon(true);
                    return thread;
                });
        this.control = new ControlRoutes(
                new UpstreamChanges(upstreams, forecasts, writer, askAgain, clock),
                new Cancellations(writer, knownJobs, askAgain, clock, random),
                metrics,
                clock,
                answers);
    }

    public void routes(RoutesConfig routes) {
        routes.post("/v1/jobs", this::submit);
        control.register(routes);
    }

    /** Why jobs are not taken now; null when they are. */
    public @Nullable String notReady() {
        return writer.notReady();
    }

    private void submit(Context ctx) {
        Timer.Sample started = metrics.start();
        Caller caller = Caller.of(ctx);
        Reply refusal = reader.refusal(ctx);
        if (refusal != null) {
            answer(ctx, refusal, started);
            return;
        }
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        refusal = reader.body(ctx, body);
        if (refusal != null) {
            answer(ctx, refusal, started);
            return;
        }
        Parsed parsed = parser.parse(body.toByteArray(), clock.instant());
        if (parsed instanceof Parsed.Refused refused) {
            answer(ctx, Reply.problem(refused.problem()), started);
            return;
        }
        Draft draft = ((Parsed.Sound) parsed).draft();
        CompletableFuture<Reply> later = submissions.submit(caller, draft, reader.key(ctx), traceparent(ctx));
        if (later.isDone() && !later.isCompletedExceptionally()) {
            answer(ctx, later.join(), started);
            return;
        }
        ctx.future(() -> later.handleAsync(
                (reply, failure) -> {
                    if (failure != null) {
                        LOG.error("a submission failed; answered 500", failure);
                    }
                    answer(
                            ctx,
                            failure == null
                                    ? reply
                                    : Reply.problem(
                                            500,
                                            "Internal Server Error",
                                            "Weir failed to answer; its log says why. The job may or may not be taken: ask"
                                                    + " again with the same Idempotency-Key"),
                            started);
                    return null;
                },
                answers));
    }

    private static @Nullable String traceparent(Context ctx) {
        String traceparent = ctx.header("traceparent");
        return traceparent != null && TRACEPARENT.matcher(traceparent).matches() ? traceparent : null;
    }

    private void answer(Context ctx, Reply reply, Timer.Sample started) {
        reply.write(ctx);
        metrics.answered(started, reply.status());
    }

    /** Answers 503 from now on, waits a bounded time for the jobs under way, and closes. */
    @Override
    public void close() {
        askAgain.close();
        writer.close();
        answers.shutdown();
        try {
            if (!answers.awaitTermination(CLOSE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
                LOG.warn("some answers were not written within {}; their clients will ask again", CLOSE_TIMEOUT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
