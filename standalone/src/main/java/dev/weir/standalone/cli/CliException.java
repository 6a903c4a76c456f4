package dev.weir.standalone.cli;

/** What was asked for did not happen; the message says why, for the person who asked. */
final class CliException extends RuntimeException {
    CliException(String message) {
        super(message);
    }

    CliException(String message, Throwable cause) {
        super(message, cause);
    }
}
