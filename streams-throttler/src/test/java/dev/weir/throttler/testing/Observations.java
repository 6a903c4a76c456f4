package dev.weir.throttler.testing;

import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.kafka.Topics;
import dev.weir.contracts.time.EpochNanos;
import dev.weir.contracts.wire.DeadLetter;
import dev.weir.contracts.wire.Forecast;
import dev.weir.contracts.wire.JobEvent;
import dev.weir.contracts.wire.JobStatus;
import dev.weir.contracts.wire.Permit;
import dev.weir.throttler.topology.ThrottleTopology;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the throttle wrote, over all its runs. Two invariants are checked at each record: an upstream's permits are numbered
 * without a gap, and a job's revisions rise until its end, which it never leaves. Not thread-safe.
 */
final class Observations implements TaskRun.Written {
    private final boolean lean;
    private final Changelog changelog = new Changelog();
    private final Consumer<Permit> permitListener;
    private final Consumer<JobEvent> eventListener;
    private final Map<String, Integer> costs = new HashMap<>();
    private final Map<String, Timeline.Builder> slots = new HashMap<>();
    private final Map<String, Timeline.Builder> calls = new HashMap<>();
    private final Map<String, Last> last = new HashMap<>();
    private final Map<String, List<JobEvent>> events = new HashMap<>();
    private final List<Permit> permits = new ArrayList<>();
    private final List<DeadLetter> deadLetters = new ArrayList<>();
    private final Map<String, byte[]> forecasts = new HashMap<>();
    /** Upstreams whose newest forecast may not know of the last change. */
    private final Set<String> untold = new HashSet<>();

    private long unfinished;
    private long changes;

    private record Last(JobStatus status, long revision) {}

    Observations(boolean lean, Consumer<Permit> permitListener, Consumer<JobEvent> eventListener) {
        this.lean = lean;
        this.permitListener = permitListener;
        this.eventListener = eventListener;
    }

    @Override
    public void toTopic(String topic, String key, byte[] value) {
        if (topic.equals(Topics.FORECASTS)) {
            forecasts.put(key, value);
            untold.remove(key);
            return;
        }
        changed();
        switch (topic) {
            case Topics.DISPATCH -> permit(Json.read(value, Permit.class));
            case Topics.JOB_EVENTS -> event(Json.read(value, JobEvent.class));
            case Topics.DEAD_LETTERS -> deadLetters.add(Json.read(value, DeadLetter.class));
            default -> throw new IllegalStateException("nobody reads the topic " + topic);
        }
    }

    @Override
    public void toStore(String store, byte[] key, byte[] value) {
        // The low-water mark in the other store moves with every tick, whether anything happens or not.
        if (store.equals(ThrottleTopology.JOBS_STORE)) {
            changed();
        }
        if (!lean) {
            changelog.add(store, key, value);
        }
    }

    private void permit(Permit permit) {
        Timeline.Builder given = slots.computeIfAbsent(permit.upstream(), u -> new Timeline.Builder("permits' slots"));
        if (permit.permit() != given.size()) {
            throw new AssertionError(
                    "permit " + permit.permit() + " of " + permit.upstream() + " follows permit " + (given.size() - 1));
        }
        given.add(EpochNanos.of(permit.slot()), costs.getOrDefault(permit.jobId(), 1));
        if (!lean) {
            permits.add(permit);
        }
        permitListener.accept(permit);
    }

    private void event(JobEvent event) {
        Last before = last.put(event.id(), new Last(event.status(), event.revision()));
        if (before != null && (before.status().finished() || event.revision() <= before.revision())) {
            throw new AssertionError("job " + event.id() + " was " + before.status() + " at revision "
                    + before.revision() + ", and now " + event);
        }
        unfinished += (event.status().finished() ? 0 : 1) - (before == null ? 0 : 1);
        if (!lean) {
            events.computeIfAbsent(event.id(), id -> new ArrayList<>()).add(event);
        }
        eventListener.accept(event);
    }

    /** Its cost is on no record that leaves the throttle. */
    void cost(String jobId, int cost) {
        if (cost != 1) {
            costs.put(jobId, cost);
        }
    }

    void called(Permit permit, long at) {
        calls.computeIfAbsent(permit.upstream(), u -> new Timeline.Builder("calls"))
                .add(at, costs.getOrDefault(permit.jobId(), 1));
    }

    void givenBack(Permit permit) {
        slots(permit.upstream()).giveBack(Math.toIntExact(permit.permit()));
    }

    Timeline.Builder slots(String upstream) {
        return slots.getOrDefault(upstream, new Timeline.Builder("permits' slots"));
    }

    Timeline.Builder calls(String upstream) {
        return calls.getOrDefault(upstream, new Timeline.Builder("calls"));
    }

    @Nullable
    JobStatus status(String jobId) {
        Last known = last.get(jobId);
        return known == null ? null : known.status();
    }

    /** Jobs with this status now. */
    long count(JobStatus status) {
        return last.values().stream().filter(l -> l.status() == status).count();
    }

    long unfinished() {
        return unfinished;
    }

    List<JobEvent> events(String jobId) {
        requireHistory();
        return List.copyOf(events.getOrDefault(jobId, List.of()));
    }

    List<Permit> permits() {
        requireHistory();
        return List.copyOf(permits);
    }

    List<DeadLetter> deadLetters() {
        return List.copyOf(deadLetters);
    }

    /** The newest one; null when there was none. */
    @Nullable
    Forecast forecast(String upstream) {
        byte[] newest = forecasts.get(upstream);
        return newest == null ? null : Json.read(newest, Forecast.class);
    }

    /** Of each upstream that was told of. */
    List<Glance> glances() {
        return forecasts.values().stream().map(Glance::at).toList();
    }

    /** Empty when no history is kept. */
    Changelog changelog() {
        return changelog;
    }

    void requireHistory() {
        if (lean) {
            throw new IllegalStateException("a lean harness keeps no history: use another one for this");
        }
    }

    /** Something came in, or came of it. */
    void changed() {
        changes++;
        untold.addAll(forecasts.keySet());
    }

    boolean toldSinceLastChange() {
        return untold.isEmpty();
    }

    /** Rises with whatever the throttle does, except that it tells where it stands. */
    long changes() {
        return changes;
    }

    /** Where everything stands by the newest forecasts, for a message. */
    @Override
    public String toString() {
        return forecasts.values().stream()
                .map(newest -> Json.read(newest, Forecast.class))
                .map(f -> f.upstream() + " is " + f.state() + ", held by " + f.heldBy() + ", " + f.queue())
                .collect(Collectors.joining("; ", "by the newest forecast, ", ""));
    }
}
