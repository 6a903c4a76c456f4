package dev.weir.standalone.demo;

import com.fasterxml.jackson.databind.JsonNode;
import dev.weir.standalone.fake.CallLog;
import dev.weir.standalone.fake.Stats;
import java.time.Duration;
import java.util.List;

/** One moment of the run: what Weir says, and what the fake API sees. */
record Snapshot(
        Duration elapsed,
        int accepted,
        long waiting,
        long inFlight,
        long calls,
        int callsInLastMinute,
        String heldBy,
        String drainedAt,
        List<Integer> perSecond) {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    static Snapshot of(Duration elapsed, int accepted, JsonNode upstream, CallLog log) {
        JsonNode queue = upstream.path("queue");
        Stats stats = log.stats();
        List<Integer> seconds = stats.perSecond();
        return new Snapshot(
                elapsed,
                accepted,
                queue.path("waiting").asLong()
                        + queue.path("scheduled").asLong()
                        + queue.path("retrying").asLong(),
                queue.path("inFlight").asLong(),
                stats.calls(),
                log.callsInLast(MINUTE),
                upstream.path("heldBy").asText(""),
                queue.path("drainedAt").asText(""),
                // The last second is still going on.
                seconds.isEmpty() ? seconds : seconds.subList(0, seconds.size() - 1));
    }

    long done() {
        return Math.max(0, Math.min(calls, accepted - waiting - inFlight));
    }
}
