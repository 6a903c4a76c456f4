package dev.weir.contracts.config;

/** A secret cannot be read, or cannot be used; the message says why and shows nothing of it. */
public final class UnusableSecretException extends RuntimeException {
    UnusableSecretException(String message) {
        super(message);
    }
}
