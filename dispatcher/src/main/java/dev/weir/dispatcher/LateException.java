package dev.weir.dispatcher;

/** Ends a request that came to be written too late, before anything of it was written: its permit is handed back. */
final class LateException extends RuntimeException {
    LateException(String message) {
        super(message, null, false, false);
    }
}
