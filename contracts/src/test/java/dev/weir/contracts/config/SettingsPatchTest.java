package dev.weir.contracts.config;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.weir.contracts.http.Problem.FieldError;
import dev.weir.contracts.kafka.Json;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SettingsPatchTest {
    private static final UpstreamSettings CURRENT =
            UpstreamSettings.of(new Limit(1000, Duration.ofMinutes(1)), new Limit(50_000, Duration.ofHours(1)));

    @Test
    void shouldChangeOnlyWhatIsNamed_whenAPatchIsSound() throws JsonProcessingException {
        SettingsPatch.Result result = apply("""
                { "limits": [{ "permits": 300, "per": "1m" }], "burst": 0, "circuitBreaker": { "open": "5s" } }""");

        assertThat(result.errors()).isEmpty();
        assertThat(result.settings())
                .isEqualTo(new UpstreamSettings(
                        List.of(new Limit(300, Duration.ofMinutes(1))),
                        CURRENT.utilization(),
                        0,
                        CURRENT.maxInFlight(),
                        CURRENT.permitTtl(),
                        CURRENT.timeout(),
                        CURRENT.retry(),
                        new CircuitBreakerSettings(5, Duration.ofSeconds(5), 3),
                        CURRENT.weights()));
    }

    @Test
    void shouldBringTheDefaultBack_whenAPatchSaysNull() throws JsonProcessingException {
        UpstreamSettings changed = apply("{ \"utilization\": 0.5 }").settings();

        SettingsPatch.Result result = SettingsPatch.apply(changed, Json.MAPPER.readTree("{ \"utilization\": null }"));

        assertThat(result.settings()).isEqualTo(CURRENT);
    }

    @Test
    void shouldStayTheSame_whenTheRecordGoesThroughTheTopic() {
        assertThat(Json.read(Json.bytes(CURRENT), UpstreamSettings.class)).isEqualTo(CURRENT);
    }

    @Test
    void shouldNameWhatChanges_whenSettingsAreCompared() throws JsonProcessingException {
        UpstreamSettings changed = Objects.requireNonNull(
                apply("{ \"burst\": 3, \"timeout\": \"5s\" }").settings());

        assertThat(CURRENT.changesTo(changed)).isEqualTo("burst 15 -> 3, timeout \"PT30S\" -> \"PT5S\"");
        assertThat(CURRENT.changesTo(CURRENT)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "[]                                       | ''                  | expected a section",
                "{ \"limits\": [] }                       | /limits             | expected a list of at least one limit",
                "{ \"limits\": [{ \"permits\": 0, \"per\": \"1m\" }] } | /limits/0/permits | expected 1 to",
                "{ \"utilization\": \"1e-999999999\" } | /utilization      | expected at most 20 decimals",
                "{ \"baseUrl\": \"http://x\" }            | /baseUrl            | unknown key",
                "{ \"auth\": { \"header\": \"x\" } }      | /auth               | unknown key",
                "{ \"timeout\": \"${file:/etc/hostname}\" } | /timeout          | expected a value; placeholders",
                "{ \"weights\": { \"tenants\": { \"a\": 0 } } } | /weights/tenants/a | expected a weight of 1 to 1000"
            })
    void shouldPointAtWhatIsWrong_whenAPatchIsBad(String patch, String pointer, String detail)
            throws JsonProcessingException {
        SettingsPatch.Result result = apply(patch);

        assertThat(result.settings()).isNull();
        assertThat(result.errors()).hasSize(1);
        FieldError error = result.errors().get(0);
        assertThat(error.pointer()).isEqualTo(pointer);
        assertThat(error.detail()).startsWith(detail);
    }

    private static SettingsPatch.Result apply(String patch) throws JsonProcessingException {
        return SettingsPatch.apply(CURRENT, Json.MAPPER.readTree(patch));
    }
}
