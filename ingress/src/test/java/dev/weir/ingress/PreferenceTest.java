package dev.weir.ingress;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** RFC 7240, as far as Weir goes. */
class PreferenceTest {
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "wait=10                                   | wait=10",
                "wait = 10                                 | wait=10",
                "WAIT=10                                   | wait=10",
                "wait=\"10\"                               | wait=10",
                "wait=0                                    | wait=0",
                "wait=3600                                 | wait=60",
                "wait=999999999                            | wait=60",
                "respond-async                             | respond-async",
                "respond-async, wait=10                    | respond-async, wait=10",
                "wait=10; strict, respond-async            | respond-async, wait=10",
                "handling=lenient, wait=10                 | wait=10",
                "foo; bar=\"a, wait=3\", wait=10           | wait=10",
                "wait=10, wait=20                          | wait=10",
                "return=minimal                            |",
                "wait                                      |",
                "wait=                                     |",
                "wait=-1                                   |",
                "wait=1.5                                  |",
                "wait=ten                                  |",
                "wait=99999999999999999999                 |",
                "=,;,=                                     |",
                "``                                        |"
            })
    void shouldTakeWhatItKnows_andPassOverTheRest(String header, String applied) {
        assertThat(Preference.of(List.of(header)).applied(true)).isEqualTo(applied);
    }

    @Test
    void shouldReadAllHeaders_theFirstCounts() {
        Preference preference = Preference.of(List.of("respond-async", "wait=5", "wait=7"));

        assertThat(preference.patience()).isEqualTo(Duration.ofSeconds(5));
        assertThat(preference.respondAsync()).isTrue();
        assertThat(preference.applied(false)).isEqualTo("respond-async");
    }

    @Test
    void shouldNotBacktrackForEver_whenAHeaderIsHostile() {
        String hostile = "a;" + "\"\\".repeat(4_000) + ",".repeat(4_000) + "x=\"".repeat(2_000);

        assertThat(Preference.of(List.of(hostile)).applied(true)).isNull();
    }
}
