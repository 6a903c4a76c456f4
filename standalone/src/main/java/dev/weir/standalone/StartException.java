package dev.weir.standalone;

import org.jspecify.annotations.Nullable;

/** Something that keeps Weir from starting, said in one line for the person who started it. */
public final class StartException extends RuntimeException {
    public StartException(String message) {
        super(message);
    }

    public StartException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
