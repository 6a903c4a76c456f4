package dev.weir.standalone.cli;

import dev.weir.contracts.config.Durations;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code 20ms}, {@code 5s}, {@code 1m} as a duration. */
final class DurationConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
        Duration duration = Durations.parse(text);
        if (duration == null || duration.isNegative()) {
            throw new TypeConversionException("expected " + Durations.EXPECTED + ", but it is " + text);
        }
        return duration;
    }
}
