package dev.weir.standalone.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.standalone.Directories;
import dev.weir.standalone.Lifecycle;
import dev.weir.standalone.Standalone;
import dev.weir.standalone.StartException;
import dev.weir.standalone.client.WeirClient;
import dev.weir.standalone.fake.FakeUpstream;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * One run: everything in this process with a temporary data directory and a fake API, jobs over HTTP, and the fake API's own
 * figures as the result. {@link #close()} may come from another thread, and more than once.
 */
public final class Demo implements AutoCloseable {
    private static final Duration LATENCY = Duration.ofMillis(20);
    private static final Duration TICK = Duration.ofMillis(500);
    private static final Duration READY_TIMEOUT = Duration.ofSeconds(60);
    /** From the last call to its job being told finished and its result stored. */
    private static final Duration SETTLE_TIMEOUT = Duration.ofSeconds(30);

    private static final int LOOKUPS_AT_ONCE = 32;

    private final DemoOptions options;
    private final PrintWriter out;
    private final List<String> troubles = new ArrayList<>();
    private final Lifecycle parts;

    /** @param parts gets all that starts; closing it from another thread ends the run */
    public Demo(DemoOptions options, PrintWriter out, Lifecycle parts) {
        this.parts = parts;
        this.options = options;
        this.out = out;
    }

    public Verdict run() throws IOException, InterruptedException {
        long startedNs = System.nanoTime();
        out.printf(
                Locale.ROOT,
                "Starting Kafka, PostgreSQL, every role of Weir and a fake API that allows %,d calls a minute…%n",
                options.ratePerMinute());
        out.flush();
        Path dir = Files.createTempDirectory(Leftovers.PREFIX);
        parts.add("temporary directory", () -> Directories.delete(dir));
        Leftovers.clear(dir, InstantSource.system());
        FakeUpstream upstream =
                parts.add("fake API", new FakeUpstream("127.0.0.1", 0, List.of(options.limit()), LATENCY));
        Standalone standalone =
                new Standalone(new Standalone.Options(options.config(upstream.port()), dir, 0, 0, 0), parts);
        WeirClient client = new WeirClient(URI.create(standalone.url()), null);
        awaitReady(client);
        out.printf(
                Locale.ROOT,
                "Ready on %s after %.1f s; submitting %,d jobs, of which %,d a minute may leave.%n",
                standalone.url(),
                since(startedNs).toMillis() / 1000.0,
                options.jobs(),
                options.budgetPerMinute());
        out.flush();

        Submitter submitter = new Submitter(client, options.jobs(), "demo-" + startedNs);
        submitter.start();
        watch(client, upstream, submitter);
        Verdict.Ends ends = lookUp(client, submitter.accepted());
        return Verdict.of(options, upstream.log().stats(), ends, troubles);
    }

    private void watch(WeirClient client, FakeUpstream upstream, Submitter submitter) throws InterruptedException {
        Screen screen = new Screen(out, options);
        long startedNs = System.nanoTime();
        Duration stopAfter = options.stopAfter();
        while (true) {
            Duration elapsed = since(startedNs);
            WeirClient.Reply reply = client.await(client.upstream(DemoOptions.UPSTREAM));
            Snapshot now = Snapshot.of(elapsed, submitter.acceptedCount(), reply.body(), upstream.log());
            screen.show(now);
            String failure = submitter.failure();
            if (failure != null) {
                troubles.add("a job was not accepted: " + failure);
                return;
            }
            if (now.accepted() == options.jobs() && now.calls() >= options.jobs() && now.inFlight() == 0) {
                return;
            }
            if (stopAfter != null && elapsed.compareTo(stopAfter) >= 0) {
                return;
            }
            if (elapsed.compareTo(options.patience()) >= 0) {
                troubles.add("not done after " + options.patience().toSeconds() + " s, though the budget allows it");
                return;
            }
            Thread.sleep(TICK.toMillis());
        }
    }

    /** Asks for every job, and again for those whose end is not told yet, until {@link #SETTLE_TIMEOUT}. */
    private Verdict.Ends lookUp(WeirClient client, List<String> ids) throws InterruptedException {
        long startedNs = System.nanoTime();
        List<String> open = ids;
        int succeeded = 0;
        int otherwise = 0;
        String firstOther = "";
        while (true) {
            List<String> again = new ArrayList<>();
            List<WeirClient.Reply> replies = jobs(client, open);
            for (int i = 0; i < replies.size(); i++) {
                WeirClient.Reply reply = replies.get(i);
                JsonNode job = reply.body();
                String status = job.path("status").asText("");
                if (!reply.ok() && reply.status() != 503) {
                    otherwise++;
                    firstOther = firstOther.isEmpty() ? reply.problem() : firstOther;
                } else if (!finished(status) || job.path("resultPending").asBoolean()) {
                    // Not the id in the answer: a problem has none.
                    again.add(open.get(i));
                } else if (status.equals("succeeded") && job.path("result").isObject()) {
                    succeeded++;
                } else {
                    otherwise++;
                    firstOther = firstOther.isEmpty() ? job.toString() : firstOther;
                }
            }
            boolean seenThrough = options.stopAfter() == null && troubles.isEmpty();
            if (again.isEmpty() || !seenThrough || since(startedNs).compareTo(SETTLE_TIMEOUT) > 0) {
                return new Verdict.Ends(ids.size(), succeeded, again.size(), otherwise, firstOther);
            }
            open = again;
            Thread.sleep(TICK.toMillis());
        }
    }

    private static List<WeirClient.Reply> jobs(WeirClient client, List<String> ids) {
        List<WeirClient.Reply> replies = new ArrayList<>(ids.size());
        Deque<CompletableFuture<WeirClient.Reply>> asked = new ArrayDeque<>();
        for (String id : ids) {
            if (asked.size() == LOOKUPS_AT_ONCE) {
                replies.add(client.await(asked.remove()));
            }
            asked.add(client.job(id));
        }
        asked.forEach(reply -> replies.add(client.await(reply)));
        return replies;
    }

    private static boolean finished(String status) {
        return Stream.of(JobStatus.values())
                .filter(JobStatus::finished)
                .anyMatch(end -> Json.MAPPER.convertValue(end, String.class).equals(status));
    }

    private void awaitReady(WeirClient client) throws InterruptedException {
        long startedNs = System.nanoTime();
        while (true) {
            WeirClient.Reply reply = client.await(client.readiness());
            if (reply.ok()) {
                return;
            }
            if (since(startedNs).compareTo(READY_TIMEOUT) > 0) {
                throw new StartException(
                        "Weir is not ready after " + READY_TIMEOUT.toSeconds() + " s: " + reply.body());
            }
            Thread.sleep(TICK.toMillis() / 5);
        }
    }

    @Override
    public void close() {
        parts.close();
    }

    private static Duration since(long startedNs) {
        return Duration.ofNanos(System.nanoTime() - startedNs);
    }
}
