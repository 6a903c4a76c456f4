package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Forecast;
import dev.weir.standalone.client.WeirClient;
import dev.weir.throttler.Plan;
import dev.weir.throttler.PlanStart;
import dev.weir.throttler.upstream.Settings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.SerializationException;
import org.jspecify.annotations.Nullable;

/**
 * An upstream of a running Weir, as much of it as a plan needs.
 *
 * @param settings in force
 */
record LiveUpstream(UpstreamSettings settings, Forecast forecast) {
    /** Where jobs wait there is a new forecast each second. */
    private static final Duration OLD = Duration.ofSeconds(30);

    private static final Duration WORTH_SAYING = Duration.ofSeconds(1);

    static LiveUpstream ask(WeirClient client, String upstream) {
        JsonNode view = body(client.await(client.upstream(upstream)));
        if (view.path("removed").asBoolean() || !view.path("settings").isObject()) {
            throw new CliException(
                    upstream + " is configured no more: its jobs are kept, and nothing goes until it is back");
        }
        JsonNode forecast = body(client.await(client.forecast(upstream)));
        try {
            return new LiveUpstream(
                    Json.read(Json.bytes(view.path("settings")), UpstreamSettings.class),
                    Json.read(Json.bytes(forecast), Forecast.class));
        } catch (SerializationException e) {
            throw new CliException(
                    "what it answers cannot be read; is it the same version as this one? " + e.getMessage(), e);
        }
    }

    /**
     * Plans what waits and so many jobs more.
     *
     * @param whatIf how the settings differ from those in force; null when they do not
     */
    PlanText plan(UpstreamSettings wanted, @Nullable ObjectNode whatIf, long jobs, boolean assumeUnused, Instant now) {
        String name = forecast.upstream();
        PlanStart start =
                PlanStart.of(forecast, Settings.of(name, settings), Settings.of(name, wanted), assumeUnused, now);
        return PlanText.fromLive(Plan.of(start, jobs), start, whatIf, notes(now));
    }

    /** What someone who reads the plan should know. */
    private List<String> notes(Instant now) {
        List<String> notes = new ArrayList<>();
        if (forecast.state().equals(Forecast.PAUSED)) {
            notes.add("it is paused; this is the plan if it were resumed now");
        }
        Duration age = Duration.between(forecast.at(), now);
        if (forecast.queue().waiting() > 0 && age.compareTo(OLD) > 0) {
            notes.add("what it tells is " + age.toSeconds() + " s old: its throttler may be down, or a clock wrong");
        }
        Forecast.Basis basis = forecast.basis();
        if (basis != null && basis.history().within().compareTo(WORTH_SAYING) > 0) {
            notes.add("its past is known to within " + basis.history().within().toSeconds()
                    + " s, so what waits for it to leave a window may be off by as much");
        }
        return notes;
    }

    private static JsonNode body(WeirClient.Reply reply) {
        if (!reply.ok()) {
            throw new CliException(reply.problem());
        }
        return reply.body();
    }
}
