package dev.weir.status;

import dev.weir.contracts.access.Caller;
import dev.weir.contracts.http.HttpServer;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.JobEvent;
import io.javalin.config.RoutesConfig;
import io.javalin.http.Context;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /v1/jobs/{id}/events}: a job's states as server-sent events, until it is finished. Each event is the whole job
 * as it is told alone, its id is the state's revision; {@code Last-Event-ID} skips what was seen. States that come and go
 * faster than they are read are passed over.
 */
final class EventRoutes implements AutoCloseable {
    static final int MOST_STREAMS = 1_000;
    /** A place or an ETA that has moved is told so often, though the state is the same. */
    static final Duration REFRESH = Duration.ofSeconds(5);
    /** Keeps the connection from being closed as silent, by the server too, and finds out about closed ones. */
    static final Duration COMMENT = HttpServer.STALL_TIMEOUT.minusSeconds(2);
    /** An answer that is not stored by then is told as pending. */
    static final Duration RESULT_PATIENCE = Duration.ofSeconds(5);

    static final Duration LOOK_AGAIN = Duration.ofMillis(100);
    /** While the state cannot be told. */
    static final Duration RETRY = Duration.ofSeconds(1);
    /** Longer than all that a look at a job waits for; whoever has not answered by then never will. */
    static final Duration LONGEST_LOOK = Duration.ofSeconds(30);

    private static final Pattern LINE_END = Pattern.compile("\\r\\n|\\r|\\n");

    private final JobFinder jobs;
    private final JobViews views;
    private final Executor executor;
    private final Duration refresh;
    private final Duration resultPatience;
    private final Semaphore streams = new Semaphore(MOST_STREAMS);
    private volatile boolean closing;

    /** @param executor writes to the connections */
    EventRoutes(JobFinder jobs, JobViews views, Executor executor) {
        this(jobs, views, executor, REFRESH, RESULT_PATIENCE);
    }

    EventRoutes(JobFinder jobs, JobViews views, Executor executor, Duration refresh, Duration resultPatience) {
        this.jobs = jobs;
        this.views = views;
        this.executor = executor;
        this.refresh = refresh;
        this.resultPatience = resultPatience;
    }

    void register(RoutesConfig routes) {
        routes.get("/v1/jobs/{id}/events", this::events);
    }

    private void events(Context ctx) {
        String id = ctx.pathParam("id");
        Caller caller = Caller.of(ctx);
        long seen = lastEventId(ctx);
        Answers.later(ctx, () -> {
            // It lasts as long as the job.
            ctx.req().getAsyncContext().setTimeout(0);
            return jobs.job(id).thenCompose(found -> {
                JobEvent job = found.job();
                if (job == null || !caller.sees(job.tenant())) {
                    Answers.noJob(ctx, id);
                    return CompletableFuture.completedFuture(null);
                }
                if (job.status().finished() && job.revision() <= seen) {
                    // Nothing more will come: this tells an EventSource not to come back.
                    ctx.status(204);
                    return CompletableFuture.completedFuture(null);
                }
                if (closing) {
                    Answers.unavailable(ctx, "this instance is stopping; ask again");
                    return CompletableFuture.completedFuture(null);
                }
                if (!streams.tryAcquire()) {
                    Answers.unavailable(ctx, MOST_STREAMS + " streams of events are open already; ask again later");
                    return CompletableFuture.completedFuture(null);
                }
                return stream(ctx, job.id(), found, seen).whenComplete((done, failure) -> streams.release());
            });
        });
    }

    private static long lastEventId(Context ctx) {
        String text = ctx.header("Last-Event-ID");
        return text != null && text.matches("[0-9]{1,18}") ? Long.parseLong(text) : -1;
    }

    private CompletableFuture<@Nullable Void> stream(Context ctx, String id, Found first, long seen) {
        ctx.res().setStatus(200);
        ctx.res().setContentType("text/event-stream");
        ctx.res().setCharacterEncoding("UTF-8");
        ctx.res().setHeader("Cache-Control", "no-store");
        ctx.res().setHeader("X-Accel-Buffering", "no");
        try {
            return new Events(id, ctx.res().getOutputStream(), seen).start(first);
        } catch (IOException | RejectedExecutionException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    /** Ends the open streams within {@link JobFinder#LONGEST_WATCH}, and takes no more: clients come back to another instance. */
    @Override
    public void close() {
        closing = true;
    }

    /** One connection. Its steps follow one another, each on a thread of the executor. */
    private final class Events {
        private final String id;
        private final OutputStream out;
        private final CompletableFuture<@Nullable Void> done = new CompletableFuture<>();
        private long seen;
        private long writtenNanos = System.nanoTime();
        private @Nullable ListedJob shown;

        Events(String id, OutputStream out, long seen) {
            this.id = id;
            this.out = out;
            this.seen = seen;
        }

        CompletableFuture<@Nullable Void> start(Found first) {
            executor.execute(() -> guarded(() -> {
                // The headers reach the client before the first change.
                write(": weir\n\n");
                step(first);
            }));
            return done;
        }

        private interface Step {
            void run() throws IOException;
        }

        private void guarded(Step step) {
            try {
                step.run();
            } catch (IOException e) {
                // The client has gone.
                done.complete(null);
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
            }
        }

        private void step(Found found) throws IOException {
            JobEvent job = found.job();
            if (job == null || closing) {
                // Forgotten, which takes days; or this instance goes down, and the client comes back to another.
                done.complete(null);
            } else if (job.status().finished()) {
                last(found, System.nanoTime());
            } else {
                if (job.revision() > seen || moved(job)) {
                    tell(job, views.of(job, JobResults.Found.NONE, found.asOf()));
                } else if (since(writtenNanos, COMMENT)) {
                    write(": still " + Json.MAPPER.convertValue(job.status(), String.class) + "\n\n");
                }
                next();
            }
        }

        /** A copy may tell of a state before the one that was seen: that is nothing new. */
        private boolean moved(JobEvent job) {
            if (job.revision() < seen || !since(writtenNanos, refresh)) {
                return false;
            }
            ListedJob now = views.listed(job);
            return shown == null
                    || !Objects.equals(now.position(), shown.position())
                    || !Objects.equals(now.eta(), shown.eta());
        }

        private void next() {
            var unused = jobs.next(id, seen)
                    .orTimeout(LONGEST_LOOK.toMillis(), TimeUnit.MILLISECONDS)
                    .whenCompleteAsync(
                            (found, failure) -> guarded(() -> {
                                if (failure == null) {
                                    step(found);
                                } else {
                                    later(RETRY, this::next);
                                }
                            }),
                            executor);
        }

        private void last(Found found, long sinceNanos) {
            JobEvent job = found.job();
            if (job == null) {
                return;
            }
            var unused = views.results()
                    .of(job)
                    .whenCompleteAsync(
                            (result, failure) -> guarded(() -> {
                                if (failure == null
                                        && result.pending()
                                        && !since(sinceNanos, resultPatience)
                                        && !closing) {
                                    later(LOOK_AGAIN, () -> last(found, sinceNanos));
                                } else {
                                    tell(job, views.of(job, failure == null ? result : JobResults.Found.PENDING, null));
                                    done.complete(null);
                                }
                            }),
                            executor);
        }

        private void later(Duration pause, Runnable step) {
            CompletableFuture.delayedExecutor(pause.toMillis(), TimeUnit.MILLISECONDS, executor)
                    .execute(step);
        }

        private void tell(JobEvent job, JobView view) throws IOException {
            seen = job.revision();
            shown = view.job();
            // An upstream's JSON goes out as it came, line ends included: each of its lines is one of the event's.
            String data = LINE_END.matcher(new String(Json.bytes(view), StandardCharsets.UTF_8))
                    .replaceAll("\ndata: ");
            write("event: status\nid: " + seen + "\ndata: " + data + "\n\n");
        }

        private void write(String text) throws IOException {
            out.write(text.getBytes(StandardCharsets.UTF_8));
            out.flush();
            writtenNanos = System.nanoTime();
        }

        private static boolean since(long nanos, Duration duration) {
            return System.nanoTime() - nanos > duration.toNanos();
        }
    }
}
