package dev.weir.standalone.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.weir.contracts.config.SettingsPatch;
import dev.weir.contracts.config.UpstreamConfig;
import dev.weir.contracts.config.UpstreamSettings;
import dev.weir.contracts.config.WeirConfig;
import dev.weir.contracts.http.Problem.FieldError;
import dev.weir.contracts.kafka.Json;
import dev.weir.standalone.client.WeirClient;
import dev.weir.throttler.Plan;
import dev.weir.throttler.upstream.Settings;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code weir plan}. */
@Command(
        name = "plan",
        description = {
            "How long so many jobs take under an upstream's windows, without running anything.",
            "From empty windows under the configuration's settings; or, with --from, from what a running Weir tells: what its"
                    + " windows hold, who waits, and the settings in force.",
            "--limit, --utilization and --burst say what if they were these."
        },
        sortOptions = false)
final class PlanCommand extends PrintingCommand {
    @Option(names = "--upstream", required = true, paramLabel = "NAME", description = "The upstream's name.")
    String upstream = "";

    @Option(
            names = "--jobs",
            paramLabel = "N",
            description = "How many jobs; with --from, how many behind those that wait (0 unless set).")
    @Nullable
    Long jobs;

    @Mixin
    ConfigOption config = new ConfigOption();

    @Option(
            names = "--from",
            paramLabel = "URL",
            description = "Where a Weir (its status service) runs, such as http://127.0.0.1:8080.")
    @Nullable
    URI from;

    @Mixin
    ApiKeyOption apiKey = new ApiKeyOption();

    @Mixin
    QuotaOptions whatIf = new QuotaOptions();

    @Option(
            names = "--assume-unused",
            description = "With --from: a --limit's window that is longer than any so far is not full at once.")
    boolean assumeUnused;

    @Option(names = "--json", description = "Machine-readable output.")
    boolean json;

    @Override
    public Integer call() {
        long least = from == null ? 1 : 0;
        if (jobs == null && from == null) {
            throw new ParameterException(commandLine(), "how many jobs? --jobs N, or --from URL for those that wait");
        }
        if (jobs != null && (jobs < least || jobs > Plan.MAX_JOBS)) {
            throw new ParameterException(
                    commandLine(), "--jobs: expected " + least + " to " + Plan.MAX_JOBS + ", but it is " + jobs);
        }
        if (assumeUnused && from == null) {
            throw new ParameterException(
                    commandLine(), "--assume-unused needs --from: empty windows have no past that is not known");
        }
        ObjectNode patch = Json.MAPPER.createObjectNode();
        whatIf.addTo(patch);
        PlanText text;
        try {
            text = from == null ? fromEmptyWindows(patch) : fromLive(from, patch);
        } catch (IllegalArgumentException e) {
            throw new CliException("it cannot be planned: " + e.getMessage(), e);
        }
        PrintWriter out = out();
        if (json) {
            out.println(new String(Json.bytes(text.asJson()), StandardCharsets.UTF_8));
        } else {
            text.print(out);
        }
        return 0;
    }

    private PlanText fromEmptyWindows(ObjectNode patch) {
        WeirConfig loaded = config.load(System.getenv());
        UpstreamConfig known = loaded.upstreams().get(upstream);
        if (known == null) {
            throw new CliException("there is no upstream " + upstream + " in the configuration; it has "
                    + String.join(", ", loaded.upstreams().keySet()));
        }
        Settings settings = Settings.of(upstream, patched(known.settings(), patch));
        Plan plan = Plan.of(settings, jobs == null ? 1 : jobs);
        return PlanText.fromEmptyWindows(
                plan, Instant.now().truncatedTo(ChronoUnit.SECONDS), patch.isEmpty() ? null : patch);
    }

    private PlanText fromLive(URI url, ObjectNode patch) {
        WeirClient client = ClientOptions.client("--from", url, apiKey);
        LiveUpstream live = LiveUpstream.ask(client, upstream);
        UpstreamSettings wanted = patched(live.settings(), patch);
        return live.plan(wanted, patch.isEmpty() ? null : patch, jobs == null ? 0 : jobs, assumeUnused, Instant.now());
    }

    private UpstreamSettings patched(UpstreamSettings settings, ObjectNode patch) {
        SettingsPatch.Result result = SettingsPatch.apply(settings, patch);
        if (result.settings() == null) {
            throw new ParameterException(
                    commandLine(),
                    result.errors().stream().map(PlanCommand::text).collect(Collectors.joining("; ")));
        }
        return result.settings();
    }

    private static String text(FieldError error) {
        return error.pointer().replaceFirst("^/", "") + ": " + error.detail();
    }
}
