package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.kafka.Json;
import dev.weir.contracts.wire.Priority;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** An upstream's settings as options; what is not named stays as it is. */
final class SettingsOptions {
    @Mixin
    QuotaOptions quota = new QuotaOptions();

    @Option(names = "--max-in-flight", paramLabel = "N", description = "Calls open at once, over all dispatchers.")
    @Nullable
    Integer maxInFlight;

    @Option(
            names = "--permit-ttl",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            description = "A permit not used by then is handed back.")
    @Nullable
    Duration permitTtl;

    @Option(
            names = "--timeout",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            description = "Of one call.")
    @Nullable
    Duration timeout;

    @Option(
            names = "--retry",
            paramLabel = "DURATION,...",
            converter = DelaysConverter.class,
            description = "All delays before a failed job's next attempts, such as 5m,15m; none for no retry.")
    DelaysConverter.@Nullable Delays retry;

    @Option(names = "--breaker-failures", paramLabel = "N", description = "Failures in a row that open the circuit.")
    @Nullable
    Integer breakerFailures;

    @Option(
            names = "--breaker-open",
            paramLabel = "DURATION",
            converter = DurationConverter.class,
            description = "How long it stays open before probes go out.")
    @Nullable
    Duration breakerOpen;

    @Option(names = "--breaker-probes", paramLabel = "N", description = "Probes that must succeed to close it.")
    @Nullable
    Integer breakerProbes;

    @Option(
            names = "--weight",
            paramLabel = "TENANT=N",
            description = "A tenant's share against the others, such as acme=3; may be repeated.")
    Map<String, Integer> weights = Map.of();

    @Option(
            names = "--priority-weight",
            paramLabel = "PRIORITY=N",
            description = "Of high, normal or low, such as high=8; may be repeated.")
    Map<Priority, Integer> priorityWeights = Map.of();

    @Option(
            names = "--assume-unused",
            description =
                    "Nothing was called before what Weir knows: a window longer than any so far is not full at once.")
    boolean assumeUnused;

    /** A merge patch under the names of the configuration file; empty when no option was given. */
    ObjectNode patch() {
        ObjectNode patch = Json.MAPPER.createObjectNode();
        quota.addTo(patch);
        put(patch, "maxInFlight", maxInFlight);
        put(patch, "permitTtl", permitTtl);
        put(patch, "timeout", timeout);
        if (retry != null) {
            ArrayNode delays = patch.putObject("retry").putArray("delays");
            retry.delays().forEach(delay -> delays.add(delay.toString()));
        }
        ObjectNode breaker = Json.MAPPER.createObjectNode();
        put(breaker, "failures", breakerFailures);
        put(breaker, "open", breakerOpen);
        put(breaker, "probes", breakerProbes);
        ObjectNode lanes = Json.MAPPER.createObjectNode();
        if (!weights.isEmpty()) {
            ObjectNode tenants = lanes.putObject("tenants");
            weights.forEach(tenants::put);
        }
        if (!priorityWeights.isEmpty()) {
            ObjectNode priorities = lanes.putObject("priorities");
            priorityWeights.forEach(
                    (priority, weight) -> priorities.put(priority.name().toLowerCase(Locale.ROOT), weight));
        }
        if (!breaker.isEmpty()) {
            patch.set("circuitBreaker", breaker);
        }
        if (!lanes.isEmpty()) {
            patch.set("weights", lanes);
        }
        if (assumeUnused) {
            patch.put("assumeUnused", true);
        }
        return patch;
    }

    private static void put(ObjectNode patch, String key, @Nullable Integer number) {
        if (number != null) {
            patch.put(key, number);
        }
    }

    private static void put(ObjectNode patch, String key, @Nullable Duration duration) {
        if (duration != null) {
            patch.put(key, duration.toString());
        }
    }
}
