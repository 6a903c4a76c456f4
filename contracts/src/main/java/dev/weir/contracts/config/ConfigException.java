package dev.weir.contracts.config;

/** A configuration that cannot be used. The message is one line for a person: the file, the key, what was expected. */
public final class ConfigException extends RuntimeException {
    public ConfigException(String message) {
        super(message);
    }

    /** A bad value: {@code key: expected …, but …}. */
    public static ConfigException at(String key, String message) {
        return new ConfigException(key + ": " + message);
    }
}
