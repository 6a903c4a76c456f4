package dev.weir.standalone.cli;

import dev.weir.contracts.config.Durations;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code 5m,15m} as a list of delays; {@code none} for an empty one. */
final class DelaysConverter implements ITypeConverter<DelaysConverter.Delays> {
    record Delays(List<Duration> delays) {
        Delays {
            delays = List.copyOf(delays);
        }
    }

    @Override
    public Delays convert(String text) {
        List<Duration> delays = new ArrayList<>();
        for (String part : text.equals("none") ? new String[0] : text.split(",", -1)) {
            Duration delay = Durations.parse(part.strip());
            if (delay == null || delay.isNegative()) {
                throw new TypeConversionException("expected durations such as 5m,15m, or none, but it is " + text);
            }
            delays.add(delay);
        }
        return new Delays(delays);
    }
}
