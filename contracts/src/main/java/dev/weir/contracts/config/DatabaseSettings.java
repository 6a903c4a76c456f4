package dev.weir.contracts.config;

/**
 * How the connections to PostgreSQL are shared out. Every process claims its share of one budget when it starts; one that
 * would exceed the budget does not start.
 *
 * @param connections the budget: of all processes together. PostgreSQL allows 100 unless set, and some are left for people
 *     and tools
 * @param perDispatcher the pool of each process with the dispatcher role
 * @param perStatus the pool of each process with the status role
 */
public record DatabaseSettings(int connections, int perDispatcher, int perStatus) {
    public static final DatabaseSettings DEFAULT = new DatabaseSettings(90, 3, 5);

    private static final int MOST = 100_000;
    /** One writes results while another migrates or renews the claim. */
    private static final int LEAST_PER_PROCESS = 2;

    private static final int MOST_PER_PROCESS = 50;

    public DatabaseSettings {
        require("connections", connections, LEAST_PER_PROCESS, MOST);
        require("perDispatcher", perDispatcher, LEAST_PER_PROCESS, MOST_PER_PROCESS);
        require("perStatus", perStatus, LEAST_PER_PROCESS, MOST_PER_PROCESS);
    }

    private static void require(String key, int value, int least, int most) {
        if (value < least || value > most) {
            throw ConfigException.at(key, "expected " + least + " to " + most + ", but it is " + value);
        }
    }
}
