package dev.weir.contracts.time;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IsoInstantsTest {
    private static final long YEARS = Duration.ofDays(366L * 9000).toSeconds();

    @Test
    void whatAnInstantWritesIsReadBack() {
        Random random = new Random(7);
        for (int i = 0; i < 100_000; i++) {
            long nanos = random.nextInt(1_000_000_000);
            for (int digits = random.nextInt(10); digits > 0; digits--) {
                nanos -= nanos % (long) Math.pow(10, digits);
            }
            Instant instant = Instant.ofEpochSecond(random.nextLong(-YEARS, YEARS), nanos);
            assertThat(IsoInstants.parse(instant.toString())).isEqualTo(instant);
            char[] text = new char[IsoInstants.MOST_CHARS];
            int length = IsoInstants.write(instant, text);
            assertThat(length == 0 ? instant.toString() : new String(text, 0, length))
                    .isEqualTo(instant.toString());
            assertThat(length > 0).isEqualTo(instant.toString().matches("\\d{4}-.*"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "2026-11-22T09:30:00.Z",
                "2026-11-22T09:30:00.1Z",
                "2026-11-22T09:30:00.1234567Z",
                "2026-11-22T24:00:00Z",
                "2026-11-22T11:30:00+02:00",
                "2016-12-31T23:59:60Z",
                "+12026-11-22T09:30:00Z"
            })
    void otherFormsAreReadAsTheLibraryDoes(String text) {
        assertThat(IsoInstants.parse(text)).isEqualTo(Instant.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "2026-11-22",
                "2026-11-22T09:30Z",
                "2026-11-22T09:30:00.1234567890Z",
                "2026-13-22T09:30:00Z",
                "2026-02-29T09:30:00Z",
                "2026-11-22T25:30:00Z",
                "2026-11-22 09:30:00Z",
                "2026-11-22T09:30:00,5Z",
                "२०२६-11-22T09:30:00Z"
            })
    void whatIsNoInstantIsRefused(String text) {
        assertThatThrownBy(() -> IsoInstants.parse(text)).isInstanceOf(DateTimeException.class);
    }
}
