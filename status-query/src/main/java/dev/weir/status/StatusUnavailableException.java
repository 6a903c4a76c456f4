package dev.weir.status;

import org.jspecify.annotations.Nullable;

/** The state of a job cannot be told within the bounds, for now; the message is for the client. Answered with 503. */
final class StatusUnavailableException extends RuntimeException {
    StatusUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
