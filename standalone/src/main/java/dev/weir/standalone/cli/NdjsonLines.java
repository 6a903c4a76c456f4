package dev.weir.standalone.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/** The lines of a file, one after the other, each of a bounded length. Not thread-safe. */
final class NdjsonLines {
    /** More than any server takes unless it was told to; its own limit says the rest. */
    static final int MAX_LINE_BYTES = 16 * 1024 * 1024;

    private final InputStream in;
    private long number;

    NdjsonLines(InputStream in) {
        this.in = new BufferedInputStream(in);
    }

    /**
     * The next line without its end, blank ones too; null after the last.
     *
     * @throws CliException when it is too long
     */
    byte @Nullable [] next() throws IOException {
        number++;
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        int b = in.read();
        if (b < 0) {
            return null;
        }
        for (; b >= 0 && b != '\n'; b = in.read()) {
            if (line.size() == MAX_LINE_BYTES) {
                throw new CliException("--batch: line " + number + " is longer than " + MAX_LINE_BYTES + " bytes");
            }
            line.write(b);
        }
        return line.toByteArray();
    }
}
