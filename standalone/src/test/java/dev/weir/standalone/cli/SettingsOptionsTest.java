package dev.weir.standalone.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.weir.contracts.config.Limit;
import dev.weir.contracts.config.SettingsPatch;
import dev.weir.contracts.config.UpstreamSettings;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

class SettingsOptionsTest {
    private static final UpstreamSettings IN_FORCE = UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)));

    @Test
    void shouldNameEverySettingAsTheConfigurationFileDoes() {
        SettingsOptions options = parse(
                "--limit=300/1m",
                "--limit=5000/1h",
                "--utilization=0.85",
                "--burst=5",
                "--max-in-flight=20",
                "--permit-ttl=2s",
                "--timeout=45s",
                "--retry=5m,15m",
                "--breaker-failures=7",
                "--breaker-open=1m",
                "--breaker-probes=2",
                "--weight=acme=3",
                "--weight=bolt=2",
                "--priority-weight=high=8",
                "--assume-unused");

        assertThat(options.patch().toString())
                .isEqualTo("{\"limits\":[{\"permits\":300,\"per\":\"PT1M\"},{\"permits\":5000,\"per\":\"PT1H\"}],"
                        + "\"utilization\":0.85,\"burst\":5,\"maxInFlight\":20,\"permitTtl\":\"PT2S\",\"timeout\":\"PT45S\","
                        + "\"retry\":{\"delays\":[\"PT5M\",\"PT15M\"]},"
                        + "\"circuitBreaker\":{\"failures\":7,\"open\":\"PT1M\",\"probes\":2},"
                        + "\"weights\":{\"tenants\":{\"acme\":3,\"bolt\":2},\"priorities\":{\"high\":8}},"
                        + "\"assumeUnused\":true}");
    }

    @Test
    void shouldBeAPatchThatTheServerTakes() {
        SettingsOptions options = parse("--limit=300/1m", "--breaker-open=1m", "--weight=acme=3", "--retry=none");

        SettingsPatch.Result result = SettingsPatch.apply(IN_FORCE, options.patch());

        assertThat(result.errors()).isEmpty();
        UpstreamSettings settings = result.settings();
        assertThat(settings).isNotNull();
        assertThat(settings.limits()).containsExactly(new Limit(300, Duration.ofMinutes(1)));
        assertThat(settings.circuitBreaker().open()).isEqualTo(Duration.ofMinutes(1));
        assertThat(settings.circuitBreaker().failures()).isEqualTo(5);
        assertThat(settings.weights().tenants()).containsEntry("acme", 3);
        assertThat(settings.retry().delays()).isEmpty();
        assertThat(settings.burst()).isEqualTo(IN_FORCE.burst());
    }

    @Test
    void shouldBeEmpty_whenNothingIsNamed() {
        assertThat(parse().patch()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--limit=300|permits/window",
                "--limit=0/1m|permits: expected 1",
                "--utilization=much|utilization",
                "--retry=5m,,1m|durations such as 5m,15m",
                "--timeout=-PT1S|a duration such as",
                "--weight=acme|KEY=VALUE",
                "--priority-weight=urgent=3|high"
            })
    void shouldSayWhatWasExpected_whenAValueIsNone(String option, String expected) {
        assertThatThrownBy(() -> parse(option))
                .isInstanceOf(ParameterException.class)
                .message()
                .containsIgnoringCase(expected);
    }

    private static SettingsOptions parse(String... options) {
        UpstreamsSetCommand command = new UpstreamsSetCommand();
        new CommandLine(command).setCaseInsensitiveEnumValuesAllowed(true).parseArgs(join(options));
        return command.settings;
    }

    private static String[] join(String... options) {
        String[] all = new String[options.length + 1];
        all[0] = "gemini";
        System.arraycopy(options, 0, all, 1, options.length);
        return all;
    }
}
