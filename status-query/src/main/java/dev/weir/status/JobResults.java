package dev.weir.status;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.util.RawValue;
import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.JdbiException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The answers of finished jobs, from PostgreSQL and a cache before it. A database that is slow or away costs the result and
 * nothing else: the job is still told, with its result pending. Thread-safe; the caller never blocks.
 */
final class JobResults implements AutoCloseable {
    static final int THREADS = 4;
    static final int MOST_QUEUED = 256;
    static final Duration QUERY_TIMEOUT = Duration.ofSeconds(1);
    /** Of the whole lookup, the wait for a thread and a connection included. */
    static final Duration LOOKUP_TIMEOUT = Duration.ofSeconds(2);
    /** After a failure nobody waits for the database again so soon. */
    static final Duration REST_AFTER_FAILURE = Duration.ofSeconds(1);
    /** An attempt in doubt leaves no row: after that, an earlier attempt's answer is taken for the last one. */
    static final Duration WAIT_FOR_LAST_ATTEMPT = Duration.ofSeconds(10);

    static final long CACHE_BYTES = 32L * 1024 * 1024;
    private static final int ENTRY_OVERHEAD_BYTES = 256;
    private static final Logger LOG = LoggerFactory.getLogger(JobResults.class);

    /**
     * A succeeded job's answer is a 2xx; any other of its answers is of an attempt before. No call was before the job, so only
     * the days from then on are looked at.
     */
    private static final String QUERY = """
            select r.http_status, r.headers::text as headers, r.body, r.body_is_text, r.cut,
                   (select max(a.attempt) from results a where a.job_id = r.job_id and a.day >= :from) as newest_attempt
            from results r
            where r.job_id = :job and r.day >= :from and r.http_status between :low and :high
            order by r.attempt desc
            limit 1
            """;

    /** @param pending the job has an answer, but it cannot be told yet */
    record Found(@Nullable JobResult result, boolean pending) {
        static final Found NONE = new Found(null, false);
        static final Found PENDING = new Found(null, true);
    }

    private record Row(JobResult result, int newestAttempt, int bytes) {}

    private record Cached(JobResult result, int bytes) {}

    private final Jdbi jdbi;
    private final MeterRegistry metrics;
    private final InstantSource clock;
    private final ThreadPoolExecutor threads;
    private final Cache<String, Cached> cache = Caffeine.newBuilder()
            .maximumWeight(CACHE_BYTES)
            .weigher((String id, Cached cached) -> cached.bytes())
            .build();
    private final AtomicBoolean failing = new AtomicBoolean();
    private final AtomicLong restUntilNanos = new AtomicLong(System.nanoTime());

    JobResults(DataSource database, MeterRegistry metrics, InstantSource clock) {
        this.jdbi = Jdbi.create(database);
        this.metrics = metrics;
        this.clock = clock;
        this.threads = new ThreadPoolExecutor(
                THREADS, THREADS, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MOST_QUEUED), task -> {
                    Thread thread = new Thread(task, "status-results");
                    thread.setDaemon(true);
                    return thread;
                });
        threads.allowCoreThreadTimeOut(true);
    }

    /** The result of a job in this state; never fails. */
    CompletableFuture<Found> of(JobEvent job) {
        if (!job.status().finished() || !job.answered()) {
            return CompletableFuture.completedFuture(Found.NONE);
        }
        Cached cached = cache.getIfPresent(job.id());
        if (cached != null) {
            return CompletableFuture.completedFuture(new Found(cached.result(), false));
        }
        if (failing.get() && System.nanoTime() - restUntilNanos.get() < 0) {
            return pending("resting");
        }
        try {
            return CompletableFuture.supplyAsync(() -> read(job), threads)
                    .completeOnTimeout(Found.PENDING, LOOKUP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            return pending("overloaded");
        }
    }

    private CompletableFuture<Found> pending(String why) {
        count(why);
        return CompletableFuture.completedFuture(Found.PENDING);
    }

    private void count(String outcome) {
        metrics.counter("weir_status_results_total", "outcome", outcome).increment();
    }

    private Found read(JobEvent job) {
        Row row;
        try {
            row = query(job);
        } catch (JdbiException | UncheckedIOException e) {
            failed(job, e);
            return Found.PENDING;
        }
        if (failing.compareAndSet(true, false)) {
            LOG.info("PostgreSQL gives results again");
        }
        if (row == null) {
            count("pending");
            return Found.PENDING;
        }
        boolean certain = job.status() == JobStatus.SUCCEEDED || row.newestAttempt() >= job.attempts();
        if (certain) {
            cache.put(job.id(), new Cached(row.result(), row.bytes()));
        } else if (endOf(job).plus(WAIT_FOR_LAST_ATTEMPT).isAfter(clock.instant())) {
            count("pending");
            return Found.PENDING;
        }
        count("found");
        return new Found(row.result(), false);
    }

    private static Instant endOf(JobEvent job) {
        return job.finishedAt() != null ? job.finishedAt() : job.updatedAt();
    }

    private void failed(JobEvent job, Exception e) {
        count("failed");
        restUntilNanos.set(System.nanoTime() + REST_AFTER_FAILURE.toNanos());
        if (failing.compareAndSet(false, true)) {
            LOG.warn(
                    "PostgreSQL did not give the result of job {} ({}); finished jobs answer resultPending until it does."
                            + " Is it up, and is WEIR_DATABASE_URL right?",
                    job.id(),
                    e.getMessage());
        }
    }

    private @Nullable Row query(JobEvent job) {
        boolean succeeded = job.status() == JobStatus.SUCCEEDED;
        return jdbi.withHandle(handle -> handle.createQuery(QUERY)
                .setQueryTimeout((int) QUERY_TIMEOUT.toSeconds())
                .bind("job", UUID.fromString(job.id()))
                .bind(
                        "from",
                        LocalDate.ofInstant(job.acceptedAt(), ZoneOffset.UTC).minusDays(1))
                .bind("low", succeeded ? 200 : 100)
                .bind("high", succeeded ? 299 : 999)
                .map((row, context) -> row(row))
                .findFirst()
                .orElse(null));
    }

    private static Row row(ResultSet row) throws SQLException {
        byte[] body = row.getBytes("body");
        byte[] bytes = body == null ? new byte[0] : body;
        String headersJson = row.getString("headers");
        Map<String, String> headers = headers(headersJson);
        boolean text = bytes.length == 0 || row.getBoolean("body_is_text");
        boolean cut = row.getBoolean("cut");
        JobResult result = new JobResult(
                row.getInt("http_status"),
                headers,
                text ? body(new String(bytes, StandardCharsets.UTF_8), headers.get("content-type"), cut) : null,
                text ? null : Base64.getEncoder().encodeToString(bytes),
                cut ? Boolean.TRUE : null);
        int headerBytes = headersJson == null ? 0 : headersJson.length();
        return new Row(result, row.getInt("newest_attempt"), ENTRY_OVERHEAD_BYTES + headerBytes + 2 * bytes.length);
    }

    private static Map<String, String> headers(@Nullable String json) {
        if (json == null) {
            return Map.of();
        }
        try {
            return Json.MAPPER.readValue(json, new TypeReference<Map<String, String>>() {});
        } catch (IOException e) {
            throw new UncheckedIOException("the headers of a result are no JSON object of strings", e);
        }
    }

    /** JSON goes out as it came in, digit for digit: reading and writing it again would round its numbers. */
    private static Object body(String text, @Nullable String contentType, boolean cut) {
        if (contentType == null || cut || !isJson(contentType)) {
            return text;
        }
        try (JsonParser parser = Json.MAPPER.createParser(text)) {
            JsonToken first = parser.nextToken();
            if (first == null) {
                return text;
            }
            parser.skipChildren();
            return parser.nextToken() == null ? new RawValue(text.strip()) : text;
        } catch (IOException e) {
            // Said to be JSON, but is not: then it is a text, which is nothing of ours to report.
            return text;
        }
    }

    private static boolean isJson(String contentType) {
        int parameters = contentType.indexOf(';');
        String media = (parameters < 0 ? contentType : contentType.substring(0, parameters))
                .strip()
                .toLowerCase(Locale.ROOT);
        return media.equals("application/json") || media.endsWith("+json");
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
