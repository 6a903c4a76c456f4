package dev.weir.throttler.simulation;

import java.time.Duration;
import java.util.SplittableRandom;
import java.util.function.LongConsumer;

/**
 * One upstream in virtual time: the throttle's decisions on a journal that loses what was not committed, a process that dies
 * and stands still, dispatchers that lose permits and outcomes, an upstream that fails and pushes back. One seed is one run,
 * always the same. The referee checks every committed step, the upstream every call.
 */
final class Simulation {
    /** It is quiet then; whatever still waits, waits for its windows and its retries. */
    private static final Duration UNTIL_ALL_HAVE_ENDED = Duration.ofDays(60);

    private static final long MOST_EVENTS = 5_000_000;

    private final Scenario scenario;
    private final Agenda agenda = new Agenda();
    private final Referee referee;
    private final FakeUpstream upstream;
    private final Dispatchers dispatchers;
    private final ThrottleHost host;
    private final Clients clients;
    private final SplittableRandom random;
    private long events;

    Simulation(Scenario scenario) {
        this.scenario = scenario;
        random = new SplittableRandom(~scenario.seed());
        Faults faults = scenario.faults();
        referee = new Referee(scenario.settings());
        upstream = new FakeUpstream(agenda, faults, random.split(), referee.quota()::windowsOf);
        dispatchers = new Dispatchers(agenda, faults, random.split(), upstream, this::costOf, o -> host().append(o));
        host = new ThrottleHost(agenda, scenario.settings(), faults, random.split(), referee, dispatchers::take);
        clients = new Clients(agenda, scenario, random.split(), r -> host().append(r), c -> host().append(c));
    }

    Referee referee() {
        return referee;
    }

    FakeUpstream upstream() {
        return upstream;
    }

    ThrottleHost host() {
        return host;
    }

    Clients clients() {
        return clients;
    }

    /** The whole of it. */
    void run() {
        try {
            clients.start();
            for (Scenario.Change change : scenario.changes()) {
                agenda.in(change.after().toNanos(), () -> host.append(change));
            }
            Faults faults = scenario.faults();
            now(faults.crashEvery(), faults.longestDown(), host::crash);
            now(faults.stallEvery(), faults.longestStall(), host::stall);
            now(faults.dispatchersDownEvery(), faults.longestOutage(), dispatchers::downFor);
            now(faults.upstreamDownEvery(), faults.longestOutage(), upstream::downFor);
            now(faults.upstreamFullEvery(), faults.longestOutage(), upstream::fullFor);
            runFor(scenario.length());
            host.calmDown();
            dispatchers.calmDown();
            upstream.calmDown();
            runUntilAllHaveEnded();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    "-Dweir.seed=" + scenario.seed() + " after " + agenda.elapsed() + " of " + scenario.settings()
                            + ", " + scenario.faults() + ": " + e.getMessage(),
                    e);
        }
    }

    /** Jobs of cost 1, now, from all tenants. */
    void submit(int jobs) {
        for (int i = 0; i < jobs; i++) {
            clients.submit(1, null, null);
        }
    }

    void at(Duration after, Runnable what) {
        agenda.in(after.toNanos(), what);
    }

    void runFor(Duration time) {
        long end = agenda.now() + time.toNanos();
        while (agenda.next(end)) {
            bound();
        }
    }

    private void bound() {
        if (++events > MOST_EVENTS) {
            throw new AssertionError("it does not come to an end: " + events + " events");
        }
    }

    void runUntilAllHaveEnded() {
        long end = agenda.now() + UNTIL_ALL_HAVE_ENDED.toNanos();
        while (!allHaveEnded() && agenda.next(end)) {
            bound();
        }
        if (!allHaveEnded()) {
            throw new AssertionError(
                    referee.jobs().ended() + " of " + clients.accepted().size() + " jobs have ended, "
                            + referee.jobs().inFlight() + " are in flight");
        }
        Recount.check(referee.quota().given(), upstream.arrivals());
    }

    private boolean allHaveEnded() {
        return host.hasReadAll() && referee.jobs().ended() == clients.accepted().size();
    }

    /** Again and again, while things fail. */
    private void now(Duration every, Duration longest, LongConsumer what) {
        if (every.isZero()) {
            return;
        }
        agenda.in(Chance.wait(random, every), () -> {
            if (agenda.elapsed().compareTo(scenario.length()) < 0) {
                what.accept(Chance.upTo(random, longest));
                now(every, longest, what);
            }
        });
    }

    private int costOf(String jobId) {
        ReferenceJobs.Known job = referee.jobs().find(jobId);
        if (job == null) {
            throw new AssertionError("a permit for a job that nobody knows: " + jobId);
        }
        return job.request.cost();
    }
}
