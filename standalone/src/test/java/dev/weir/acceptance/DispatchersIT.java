package dev.weir.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.weir.acceptance.CountingUpstream.Arrival;
import dev.weir.contracts.wire.Outcome;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three dispatchers at 900 calls a minute: in peace, restarted, stopped and killed. Short in a build; {@code weir.seconds},
 * {@code weir.stall}, {@code weir.kills} and {@code weir.kill.every} run it as long as one likes.
 */
@Tag("long")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DispatchersIT {
    private static final int SECONDS = Integer.getInteger("weir.seconds", 5);
    private static final int STALL_SECONDS = Integer.getInteger("weir.stall", 5);
    private static final int KILLS = Integer.getInteger("weir.kills", 1);
    private static final Duration KILL_EVERY = Duration.ofSeconds(Integer.getInteger("weir.kill.every", 4));

    private static final List<String> NAMES = List.of("one", "two", "three");
    private static final int PER_SECOND = 15;
    private static final Duration LATENCY = Duration.ofMillis(200);
    private static final Duration TTL = Duration.ofSeconds(3);
    /** Until a job in doubt is given up and called again, and its call. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** Between the clocks of two processes on one machine. */
    private static final Duration CLOCKS = Duration.ofMillis(2);
    /** Between a call's end and its outcome being in Kafka, on a busy machine. */
    private static final Duration REPORT = Duration.ofSeconds(3);

    @TempDir
    static Path dir;

    private Fleet fleet;

    @BeforeAll
    void start() throws Exception {
        fleet = new Fleet(dir, LATENCY);
        for (String name : NAMES) {
            fleet.launch(name);
        }
    }

    @AfterAll
    void stop() throws Exception {
        if (fleet != null) {
            fleet.close();
        }
    }

    @BeforeEach
    void awaitReady() {
        NAMES.forEach(fleet::awaitReady);
    }

    /** What holds whatever is done to the dispatchers, over all that was called so far. */
    @AfterEach
    void shouldNeverBeOver_norCallTwiceOnOnePermit() {
        Set<String> names = new HashSet<>();
        for (Arrival arrival : fleet.upstream().arrivals()) {
            assertThat(names.add(arrival.name()))
                    .as("%s is called once on its permit", arrival)
                    .isTrue();
        }
        assertThat(fleet.upstream().most(Duration.ofSeconds(60))).isLessThanOrEqualTo(1000);
        // Permits that are good at the same moment, 15 a second for 3 s and those of the next, are all that can come at
        // once.
        assertThat(fleet.upstream().most(Duration.ofSeconds(1))).isLessThanOrEqualTo(60);
        for (Outcome outcome : fleet.outcomes()) {
            Instant started = outcome.startedAt();
            if (started != null) {
                assertThat(started).isBetween(outcome.slot(), outcome.slot().plus(TTL));
            }
        }
    }

    @Test
    void shouldCallInsideEachPermit_whenThreeDispatch() throws Exception {
        List<String> first = fleet.submit(PER_SECOND * 2);
        fleet.awaitSucceeded(first, PATIENCE);
        List<String> jobs = fleet.submit(PER_SECOND * SECONDS);

        fleet.awaitSucceeded(jobs, PATIENCE.plusSeconds(SECONDS));

        List<Duration> lateness = lateness(jobs);
        System.out.println("the first calls of new processes, start less slot: " + quantiles(starts(first)));
        System.out.println("the calls after them, start less slot: " + quantiles(starts(jobs)));
        System.out.println("the same, arrival less slot: " + quantiles(lateness));
        System.out.println("by dispatcher: " + byDispatcher());
        assertThat(lateness).hasSize(jobs.size());
        assertThat(lateness.get(0)).as("never before the slot").isGreaterThan(CLOCKS.negated());
        for (String name : NAMES) {
            assertThat(fleet.metrics(name)).contains("weir_call_lateness_seconds_bucket{upstream=\"counted\"");
        }
    }

    @Test
    void shouldLoseNothing_andCallNothingTwice_whenTheyAreRestartedOneByOne() throws Exception {
        List<String> jobs = fleet.submit(PER_SECOND * 12);
        awaitCalls(PER_SECOND);

        for (String name : NAMES) {
            assertThat(fleet.stop(name)).as(() -> fleet.log(name)).isZero();
            fleet.launch(name);
            fleet.awaitReady(name);
        }

        fleet.awaitSucceeded(jobs, PATIENCE);
        System.out.println("restarted one by one: " + quantiles(lateness(jobs)));
        assertThat(callsByJob(jobs)).hasSize(jobs.size());
        assertThat(callsByJob(jobs).values()).allMatch(calls -> calls.size() == 1);
    }

    @Test
    void shouldEndEveryJob_andCallTwiceOnlyWhatWasInFlight_whenAllAreStoppedAndSomeKilled() throws Exception {
        long seconds = 2 + KILL_EVERY.toSeconds() * KILLS;
        List<String> jobs = fleet.submit((int) (PER_SECOND * seconds));
        awaitCalls(PER_SECOND);

        signalAll("STOP");
        pause(Duration.ofSeconds(STALL_SECONDS));
        signalAll("CONT");
        awaitCalls(PER_SECOND);
        System.out.println("stopped for " + STALL_SECONDS + " s: " + most());
        List<Kill> kills = new ArrayList<>();
        for (int i = 0; i < KILLS; i++) {
            String name = NAMES.get(i % NAMES.size());
            fleet.awaitReady(name);
            Instant asked = Instant.now();
            fleet.signal(name, "KILL");
            kills.add(new Kill(asked, Instant.now()));
            fleet.launch(name);
            Duration taken = Duration.between(asked, Instant.now());
            pause(KILL_EVERY.minus(taken));
        }

        fleet.awaitSucceeded(jobs, PATIENCE.multipliedBy(2).plusSeconds(seconds));
        Map<String, List<Arrival>> calls = callsByJob(jobs);
        Set<String> answered = reported(Outcome.Kind.ANSWERED);
        Set<String> failed = reported(Outcome.Kind.FAILED);
        List<Arrival> lost = calls.values().stream()
                .flatMap(List::stream)
                .filter(call -> !answered.contains(call.name()) && !failed.contains(call.name()))
                .toList();
        System.out.println(KILLS + " kills: " + jobs.size() + " jobs, " + lost.size()
                + " calls whose outcome was lost; " + most() + "; " + quantiles(lateness(jobs)));
        assertThat(calls).hasSize(jobs.size());
        assertThat(calls.values())
                .allSatisfy(of -> assertThat(of.stream().filter(call -> answered.contains(call.name())))
                        // More than one only where all stood still for so long that the job was in doubt meanwhile.
                        .as("%s has an answer that was heard", of)
                        .isNotEmpty());
        assertThat(lost)
                .allSatisfy(call -> assertThat(kills)
                        .as("%s was in flight at a kill", call)
                        .anyMatch(kill -> !call.at().isAfter(kill.done().plus(CLOCKS))
                                && kill.asked().isBefore(call.at().plus(LATENCY).plus(REPORT))));
    }

    /** Between these two a process was killed. */
    private record Kill(Instant asked, Instant done) {}

    private void awaitCalls(int more) {
        int before = fleet.upstream().calls();
        await().atMost(PATIENCE).until(() -> fleet.upstream().calls() > before + more);
    }

    private void signalAll(String signal) throws Exception {
        for (String name : NAMES) {
            fleet.signal(name, signal);
        }
    }

    /** Lets time pass: what is done to the dispatchers takes so long. */
    private static void pause(Duration time) {
        Instant end = Instant.now().plus(time);
        await().atMost(time.isNegative() ? PATIENCE : time.plus(PATIENCE))
                .until(() -> !Instant.now().isBefore(end));
    }

    private String most() {
        return "at most " + fleet.upstream().most(Duration.ofSeconds(60)) + " calls in any 60 s and "
                + fleet.upstream().most(Duration.ofSeconds(1)) + " in any second";
    }

    private Map<String, List<Arrival>> callsByJob(List<String> jobs) {
        Set<String> wanted = Set.copyOf(jobs);
        return fleet.upstream().arrivals().stream()
                .filter(arrival -> wanted.contains(arrival.job()))
                .collect(Collectors.groupingBy(Arrival::job));
    }

    private Set<String> reported(Outcome.Kind kind) {
        return fleet.outcomes().stream()
                .filter(outcome -> outcome.kind() == kind)
                .map(outcome -> outcome.jobId() + "/" + outcome.attempt())
                .collect(Collectors.toSet());
    }

    /** Of those calls of these jobs whose outcome came: by the upstream's clock, sorted. */
    private List<Duration> lateness(List<String> jobs) {
        Set<String> wanted = Set.copyOf(jobs);
        Map<String, Instant> slots = new HashMap<>();
        for (Outcome outcome : fleet.outcomes()) {
            if (outcome.kind() == Outcome.Kind.ANSWERED && wanted.contains(outcome.jobId())) {
                slots.put(outcome.jobId() + "/" + outcome.attempt(), outcome.slot());
            }
        }
        return fleet.upstream().arrivals().stream()
                .filter(arrival -> slots.containsKey(arrival.name()))
                .map(arrival -> Duration.between(slots.get(arrival.name()), arrival.at()))
                .sorted()
                .toList();
    }

    /** By the clock of the dispatcher, sorted. */
    private List<Duration> starts(List<String> jobs) {
        Set<String> wanted = Set.copyOf(jobs);
        return fleet.outcomes().stream()
                .filter(outcome -> outcome.startedAt() != null && wanted.contains(outcome.jobId()))
                .map(outcome -> Duration.between(outcome.slot(), outcome.startedAt()))
                .sorted()
                .toList();
    }

    private static String quantiles(List<Duration> sorted) {
        long within = sorted.stream()
                .filter(lateness -> lateness.compareTo(Duration.ofMillis(10)) <= 0)
                .count();
        return String.format(
                "%d calls, p50 %.1f ms, p99 %.1f ms, max %.1f ms, %.2f %% within 10 ms",
                sorted.size(),
                quantile(sorted, 0.5),
                quantile(sorted, 0.99),
                quantile(sorted, 1),
                100.0 * within / sorted.size());
    }

    private static double quantile(List<Duration> sorted, double quantile) {
        return sorted.get((int) Math.round(quantile * (sorted.size() - 1))).toNanos() / 1e6;
    }

    private String byDispatcher() throws Exception {
        Map<String, String> counts = new HashMap<>();
        for (String name : NAMES) {
            counts.put(
                    name,
                    fleet.metrics(name)
                            .lines()
                            .filter(line -> line.startsWith("weir_call_lateness_seconds_count"))
                            .map(line -> line.substring(line.lastIndexOf(' ') + 1))
                            .collect(Collectors.joining(",")));
        }
        return counts.toString();
    }
}
