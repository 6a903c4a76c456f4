package dev.weir.standalone.cli;

import dev.weir.contracts.config.ConfigException;
import dev.weir.contracts.config.Durations;
import dev.weir.contracts.config.Limit;
import java.time.Duration;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code 1000/1m} as a limit. */
final class LimitConverter implements ITypeConverter<Limit> {
    private static final String EXPECTED = "expected permits/window, such as 1000/1m, but it is ";

    @Override
    public Limit convert(String text) {
        int slash = text.indexOf('/');
        Duration per = slash < 1 ? null : Durations.parse(text.substring(slash + 1));
        if (per == null) {
            throw new TypeConversionException(EXPECTED + text);
        }
        try {
            return new Limit(Long.parseLong(text.substring(0, slash)), per);
        } catch (NumberFormatException | ConfigException e) {
            throw new TypeConversionException(EXPECTED + text + " (" + e.getMessage() + ")");
        }
    }
}
