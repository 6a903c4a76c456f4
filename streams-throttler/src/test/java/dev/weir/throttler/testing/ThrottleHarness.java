package dev.weir.throttler.testing;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.CancelRequest;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobRequest;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Outcome;
import dev.weir.contracts.wire.Permit;
import dev.weir.contracts.wire.UpstreamRecord;
import dev.weir.throttler.topology.Seeds;
import dev.weir.throttler.topology.ThrottleMetrics;
import dev.weir.throttler.topology.ThrottleTopology;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.Topology;
import org.jspecify.annotations.Nullable;

/**
 * The throttle's topology in virtual time, over Kafka's TopologyTestDriver: submit jobs, let time pass, answer calls, restart,
 * and look at what came of it. Time stands still but in {@link #advance} and its like; the throttle ticks as it does in
 * production wherever something can happen (see {@link Steps}), so a day of 450,000 calls takes minutes and an idle week
 * nothing. Everything is in one task of one partition. Not thread-safe.
 */
public final class ThrottleHarness implements AutoCloseable {
    /** When virtual time starts. */
    public static final Instant START = Instant.parse("2026-11-22T10:00:00Z");

    /** The upstream of the short form. */
    public static final String UPSTREAM = "gemini";
    /** What a call takes at least. */
    private static final Duration SHORTEST_CALL = Duration.ofMillis(20);

    private final Map<String, UpstreamRecord> upstreams = new LinkedHashMap<>();
    private final Steps steps;
    private final Observations seen;
    private final Path stateDir;
    private final VirtualTime time;
    private final VirtualDispatcher dispatcher = new VirtualDispatcher(this);
    private MeterRegistry meters = new SimpleMeterRegistry();
    private int ids;

    ThrottleHarness(boolean lean, Steps steps, Map<String, UpstreamSettings> seeds) {
        this.steps = steps;
        seeds.forEach((name, seed) -> upstreams.put(
                name, new UpstreamRecord(UpstreamRecord.VERSION, name, 0, START, seed, false, false, seed)));
        seen = new Observations(lean, this::given, steps::happened);
        try {
            stateDir = Files.createTempDirectory("weir-throttle-harness");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        time = new VirtualTime(START, clock -> topology(seeds, clock), stateDir, steps, seen);
    }

    private Topology topology(Map<String, UpstreamSettings> seeds, Supplier<Instant> clock) {
        meters = new SimpleMeterRegistry();
        return new ThrottleTopology(new Seeds(seeds, Map.of()), clock::get, () -> true, new ThrottleMetrics(meters), 1)
                .get();
    }

    /** One upstream, {@link #UPSTREAM}, with these limits and the configuration's defaults for all else. */
    public static ThrottleHarness withLimits(Limit... limits) {
        return of(UpstreamSettings.of(limits));
    }

    /** One upstream, {@link #UPSTREAM}. */
    public static ThrottleHarness of(UpstreamSettings settings) {
        return of(Map.of(UPSTREAM, settings));
    }

    /** Several, by name. */
    public static ThrottleHarness of(Map<String, UpstreamSettings> upstreams) {
        return new ThrottleHarness(false, new Steps(Steps.TICK, true), upstreams);
    }

    /** For hundreds of thousands of jobs: keeps timelines and statuses, no events and no permits, and cannot restart. */
    public static ThrottleHarness lean(UpstreamSettings settings) {
        return new ThrottleHarness(true, new Steps(Steps.COARSE, true), Map.of(UPSTREAM, settings));
    }

    public Instant now() {
        return time.now();
    }

    /** Lets so much time pass. */
    public ThrottleHarness advance(Duration by) {
        time.run(by, () -> false);
        return this;
    }

    /**
     * Lets time pass until every job that was submitted has reached its end.
     *
     * @throws AssertionError when they have not after so long
     */
    public ThrottleHarness advanceUntilFinished(Duration atMost) {
        time.run(atMost, () -> seen.unfinished() == 0);
        if (seen.unfinished() > 0) {
            throw new AssertionError(
                    seen.unfinished() + " jobs have not reached their end after " + atMost + "; " + seen);
        }
        return this;
    }

    /** The throttle stands still for so long, as in a long pause of its process; all else goes on. Then it ticks once. */
    public ThrottleHarness stall(Duration during) {
        time.stall(during);
        return this;
    }

    /** Ends the throttle and starts it again on what its changelog topics hold. */
    public ThrottleHarness restart() {
        return restart(Duration.ZERO);
    }

    /** The same with so much time in between, in which all else goes on. */
    public ThrottleHarness restart(Duration away) {
        seen.requireHistory();
        time.restart(away);
        return this;
    }

    /** Begins a submission: {@code harness.job().tenant("acme").cost(3).submit()}. */
    public Submission job() {
        return new Submission(this);
    }

    /** Submits a job with nothing special about it. */
    public JobRequest submit() {
        return job().submit();
    }

    public List<JobRequest> submit(int many) {
        return job().submit(many);
    }

    /** Puts a request into the topic as it is. */
    public void send(JobRequest request) {
        seen.cost(request.id(), request.cost());
        steps.submitted(request);
        pipe(Topics.REQUESTS, request.upstream(), Json.bytes(request));
    }

    /** Asks that a job be not called any more; what was decided is in its status and its newest event. */
    public void cancel(JobRequest job) {
        CancelRequest request = new CancelRequest(
                CancelRequest.VERSION, "cancel-" + ++ids, job.id(), job.tenant(), job.upstream(), now());
        Headers headers = new RecordHeaders().add(CancelRequest.TYPE_HEADER, CancelRequest.type());
        time.pipe(Topics.REQUESTS, job.upstream(), Json.bytes(request), headers);
    }

    /** Changes the only upstream's settings while it runs. */
    public void configure(UpstreamSettings settings) {
        UpstreamRecord last = record();
        change(settings, last.paused());
    }

    /** Those of the only upstream, as they were set last. */
    public UpstreamSettings settings() {
        return record().settings();
    }

    /** Nothing of the only upstream goes until {@link #resume}. */
    public void pause() {
        change(settings(), true);
    }

    public void resume() {
        change(settings(), false);
    }

    /** The only upstream is configured no more, until {@link #configure} brings it back. */
    public void remove() {
        time.pipe(Topics.UPSTREAMS, upstream(), null, new RecordHeaders());
    }

    /** Puts any bytes into one of the topology's source topics. */
    public void pipe(String topic, String key, byte @Nullable [] value) {
        time.pipe(topic, key, value, new RecordHeaders());
    }

    /** The dispatcher that calls and answers on its own once it is started; until then, permits wait for the test. */
    public VirtualDispatcher dispatcher() {
        return dispatcher;
    }

    /**
     * Takes the oldest permit that nobody has taken yet.
     *
     * @throws AssertionError when there is none
     */
    public Permit nextPermit() {
        Permit next = dispatcher.poll();
        if (next == null) {
            throw new AssertionError("no permit waits at " + now() + "; " + seen);
        }
        return next;
    }

    /** Takes all permits that nobody has taken yet. */
    public List<Permit> takePermits() {
        List<Permit> all = new ArrayList<>();
        for (Permit next = dispatcher.poll(); next != null; next = dispatcher.poll()) {
            all.add(next);
        }
        return all;
    }

    /** How many permits nobody has taken yet. */
    public int waitingPermits() {
        return dispatcher.waiting();
    }

    /** Every permit that was ever given. */
    public List<Permit> permits() {
        return seen.permits();
    }

    /** The call was made at the permit's slot, and the upstream answers this now. */
    public void answer(Permit permit, int status) {
        answer(permit, Reply.of(status));
    }

    public void answer(Permit permit, Reply reply) {
        seen.called(permit, EpochNanos.of(permit.slot()));
        report(permit, reply, permit.slot());
    }

    /** The call was made at the permit's slot, and broke. */
    public void fail(Permit permit) {
        answer(permit, Reply.failure());
    }

    /** The permit comes back unused. */
    public void handBack(Permit permit) {
        seen.givenBack(permit);
        report(permit, Outcome.Kind.RETURNED, null, later(permit.slot()), null);
    }

    /** The dispatcher refuses the call itself. */
    public void refuse(Permit permit) {
        seen.givenBack(permit);
        report(permit, Outcome.Kind.REFUSED, null, later(permit.slot()), null);
    }

    /** @return null for a job that the throttle never told of */
    public @Nullable JobStatus statusOf(JobRequest job) {
        return seen.status(job.id());
    }

    /** All that was told of a job, in order. */
    public List<JobEvent> events(JobRequest job) {
        return events(job.id());
    }

    public List<JobEvent> events(String jobId) {
        return seen.events(jobId);
    }

    public List<JobStatus> statuses(JobRequest job) {
        return events(job).stream().map(JobEvent::status).toList();
    }

    /** How many jobs stand there now. */
    public long count(JobStatus status) {
        return seen.count(status);
    }

    public List<DeadLetter> deadLetters() {
        return seen.deadLetters();
    }

    /** The newest one of the only upstream. */
    public Forecast forecast() {
        return forecast(upstream());
    }

    /** @throws AssertionError when there was none yet */
    public Forecast forecast(String upstream) {
        Forecast newest = seen.forecast(upstream);
        if (newest == null) {
            throw new AssertionError("there was no forecast for " + upstream + " yet: let some time pass");
        }
        return newest;
    }

    /** The slots of the only upstream's permits, without those that came back unused. */
    public Timeline slots() {
        return slots(upstream());
    }

    public Timeline slots(String upstream) {
        return seen.slots(upstream).build();
    }

    /** The calls that the only upstream saw. */
    public Timeline calls() {
        return calls(upstream());
    }

    public Timeline calls(String upstream) {
        return seen.calls(upstream).build();
    }

    /** The throttle's own metrics since its last start. */
    public MeterRegistry meters() {
        return meters;
    }

    /** What the stores' changelogs hold: how many keys with a value. */
    public int storedEntries() {
        seen.requireHistory();
        return seen.changelog().entries(ThrottleTopology.JOBS_STORE)
                + seen.changelog().entries(ThrottleTopology.HEADS_STORE);
    }

    /** The same by what they are: the first letter of their keys. */
    public Map<Character, Integer> storedKinds() {
        seen.requireHistory();
        return seen.changelog().kinds();
    }

    @Override
    public void close() {
        time.close();
        try (Stream<Path> files = Files.walk(stateDir)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String nextId() {
        return "job-" + ++ids;
    }

    Instant later(Instant time) {
        return time.isAfter(now()) ? time : now();
    }

    void at(Instant moment, Runnable what) {
        time.at(moment, what);
    }

    void called(Permit permit, Instant at) {
        seen.called(permit, EpochNanos.of(at));
    }

    void report(Permit permit, Reply reply, Instant startedAt) {
        report(
                permit,
                reply.answer() == null ? Outcome.Kind.FAILED : Outcome.Kind.ANSWERED,
                startedAt,
                later(startedAt.plus(SHORTEST_CALL)),
                reply);
    }

    private void report(
            Permit permit, Outcome.Kind kind, @Nullable Instant startedAt, Instant endedAt, @Nullable Reply reply) {
        Outcome outcome = new Outcome(
                Outcome.VERSION,
                permit.jobId(),
                permit.tenant(),
                permit.upstream(),
                permit.permit(),
                permit.attempt(),
                kind,
                permit.slot(),
                startedAt,
                endedAt,
                reply == null ? null : reply.answer(),
                kind == Outcome.Kind.ANSWERED ? null : "as the test wants it");
        pipe(Topics.OUTCOMES, permit.upstream(), Json.bytes(outcome));
    }

    private void given(Permit permit) {
        steps.given(permit);
        dispatcher.offer(permit);
    }

    private void change(UpstreamSettings settings, boolean paused) {
        UpstreamRecord last = record();
        UpstreamRecord next = new UpstreamRecord(
                UpstreamRecord.VERSION, last.name(), last.revision() + 1, now(), settings, paused, false, last.seed());
        upstreams.put(next.name(), next);
        pipe(Topics.UPSTREAMS, next.name(), Json.bytes(next));
    }

    private UpstreamRecord record() {
        return Objects.requireNonNull(upstreams.get(upstream()));
    }

    String upstream() {
        if (upstreams.size() != 1) {
            throw new IllegalStateException("say which upstream: there are " + upstreams.keySet());
        }
        return upstreams.keySet().iterator().next();
    }
}
